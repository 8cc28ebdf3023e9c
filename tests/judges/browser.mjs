// How mails do in Chromium: axe and the width at 375 and 800 px in light and dark, and the contrast in forced dark.
// usage: node browser.mjs CHROMIUM FOLDER MAIL.html …    writes pictures to FOLDER and prints, for each mail,
// {"axe": ["rule (impact): element", …], "wide": ["…"], "contrast": [[ratio, "text"], …]}; the lowest ratio first
//        node browser.mjs CHROMIUM FOLDER --pages PAGE.html[#…] …    the same for pages, which have a dark scheme of
// their own; in the place of the contrast "shift": how much of what was seen moved while the page came to rest
import { readFileSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const AXE = readFileSync(fileURLToPath(import.meta.resolve("axe-core")), "utf8");
const ALONE = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
// pictures end here, in CSS px: enough to look at, and far from the 16,384 px that Chromium can paint at once
const PICTURE_HEIGHT = 3000;
// forced dark is looked at in strips of this height, in CSS px, painted at this scale: strokes of letters become solid
const STRIP = 2000;
const SCALE = 2;

const [chromium, folder, ...given] = process.argv.slice(2);
const arePages = given[0] === "--pages";
const files = arePages ? given.slice(1) : given;
// milliseconds for what a page's script does by itself
const REST = 300;
const browser = await puppeteer.launch({ executablePath: chromium, headless: true, args: ALONE });
const desk = await browser.newPage();

function named(file) {
  return basename(file.split("#")[0], ".html");
}

async function opened(file, width, scheme, scale, wide) {
  const page = await browser.newPage();
  await page.setViewport({ width, height: 900, deviceScaleFactor: scale });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    if (/^(file|data):/.test(request.url())) return request.continue();
    // what travels with the mail is fetched from nowhere
    if (request.url().startsWith("cid:")) return request.abort();
    wide.push(`fetches ${request.url()}`);
    return request.abort();
  });
  await page.evaluateOnNewDocument(() => {
    window.shift = 0;
    const add = (list) => list.getEntries().forEach((entry) => (window.shift += entry.value));
    new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  });
  const [path, hash] = file.split("#");
  await page.goto(`${pathToFileURL(resolve(path))}${hash ? `#${hash}` : ""}`);
  return page;
}

async function judged(file, scheme, width, found) {
  const page = await opened(file, width, scheme, 1, found.wide);
  if (arePages) {
    await new Promise((rested) => setTimeout(rested, REST));
    found.shift = Math.max(found.shift, await page.evaluate(() => window.shift));
  }
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations);
  for (const { id, impact, nodes } of violations) {
    found.axe.push(`${id} (${impact}) in ${scheme} at ${width} px: ${nodes[0].html.slice(0, 80)}`);
  }
  const [needed, height] = await page.evaluate(() => {
    const root = document.documentElement;
    return [root.scrollWidth, root.scrollHeight];
  });
  if (needed > width) found.wide.push(`${needed} px wide in a window of ${width} px`);
  const clip = { x: 0, y: 0, width, height: Math.min(height, PICTURE_HEIGHT) };
  await page.screenshot({ path: `${folder}/${named(file)}-${scheme}-${width}.png`, clip });
  await page.close();
}

// A mail program that knows nothing of our dark scheme and turns the light one over, as Chromium does for such pages.
async function forcedDark(file, found) {
  const width = 375;
  const page = await opened(file, width, "light", SCALE, found.wide);
  const texts = await page.evaluate(() => {
    document.querySelectorAll("meta[name*=color-scheme]").forEach((meta) => meta.remove());
    for (const sheet of document.styleSheets) {
      for (let index = sheet.cssRules.length - 1; index >= 0; index--) {
        if (sheet.cssRules[index].conditionText?.includes("prefers-color-scheme")) sheet.deleteRule(index);
      }
    }
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (!/[\p{L}\p{N}]{2}/u.test(node.data)) continue; // a lone dot or comma has no solid stroke to measure
      const range = document.createRange();
      range.selectNodeContents(node);
      // three lines are enough: all lines of one text have the same colour
      const lines = [...range.getClientRects()].filter((line) => line.width >= 1 && line.height >= 1).slice(0, 3);
      if (!lines.length) continue;
      texts.push({ text: node.data.trim().slice(0, 60), lines: lines.map(({ x, y, width, height }) => [x, y, width, height]) });
    }
    return texts;
  });
  const client = await page.createCDPSession();
  await client.send("Emulation.setAutoDarkModeOverride", { enabled: true });
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  for (let top = 0; top < height; top += STRIP) {
    const here = texts.filter(({ lines }) => lines[0][1] >= top && lines[0][1] < top + STRIP);
    if (!here.length) continue;
    // a text that begins on the last line of a strip goes on in the next one
    const clip = { x: 0, y: top, width, height: Math.min(STRIP + 200, height - top) };
    const picture = await page.screenshot({ clip, encoding: "base64" });
    if (!top) writeFileSync(`${folder}/${named(file)}-forced-dark-${width}.png`, picture, "base64");
    const ratios = await desk.evaluate(contrasts, picture, here, top, SCALE);
    here.forEach(({ text }, index) => found.contrast.push([ratios[index], text]));
  }
  found.contrast.sort(([one], [other]) => one - other);
  await page.close();
}

// Runs in a page. The ground of a line is its commonest colour, its ink the one farthest from it (WCAG 2.1, contrast
// ratio and relative luminance).
async function contrasts(picture, texts, top, scale) {
  const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${picture}`)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const linear = Array.from({ length: 256 }, (_, level) => {
    const part = level / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = (colour) => 0.2126 * linear[colour >> 16] + 0.7152 * linear[(colour >> 8) & 255] + 0.0722 * linear[colour & 255];
  const ofLine = ([x, y, width, height]) => {
    const box = [x, y - top, width, height].map((length) => Math.round(length * scale));
    const { data } = context.getImageData(...box.slice(0, 2), Math.max(box[2], 1), Math.max(box[3], 1));
    const count = new Map();
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] < 255) continue; // outside of the picture
      const colour = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
      count.set(colour, (count.get(colour) ?? 0) + 1);
    }
    const [ground] = [...count].reduce((most, one) => (one[1] > most[1] ? one : most), [0, 0]);
    const from = luminance(ground) + 0.05;
    return [...count.keys()].reduce((highest, colour) => {
      const other = luminance(colour) + 0.05;
      return Math.max(highest, other > from ? other / from : from / other);
    }, 1);
  };
  return texts.map(({ lines }) => Math.max(...lines.map(ofLine)));
}

const mails = {};
for (const file of files) {
  const found = { axe: [], wide: [], contrast: [], shift: 0 };
  for (const scheme of ["light", "dark"]) for (const width of [375, 800]) await judged(file, scheme, width, found);
  if (!arePages) await forcedDark(file, found);
  mails[named(file)] = found;
}
await browser.close();
console.log(JSON.stringify(mails));
