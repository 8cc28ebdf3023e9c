// Which features of a mail's HTML and CSS the great mail programs do not know, by the data of caniemail.com.
// usage: node clients.mjs MAIL.html …    prints {"MAIL": ["feature: client, client", …], …}
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { caniemail } from "caniemail";

const CLIENTS = ["gmail.*", "apple-mail.*", "outlook.*", "yahoo.*"];

function unknown(html) {
  const css = [...html.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)].map((match) => match[1]).join("\n");
  const lacking = new Map();
  for (const [client, issues] of caniemail({ clients: CLIENTS, html, css }).issues.errors) {
    for (const { title } of issues) lacking.set(title, (lacking.get(title) ?? new Set()).add(client));
  }
  return [...lacking].map(([title, clients]) => `${title}: ${[...clients].sort().join(", ")}`).sort();
}

const found = process.argv.slice(2).map((file) => [basename(file, ".html"), unknown(readFileSync(file, "utf8"))]);
console.log(JSON.stringify(Object.fromEntries(found)));
