// Finds papers in the index beside the page: files that call digestIndex(name, contents), because a page that was
// opened from a folder may load scripts and nothing else.
"use strict";
(() => {
  const by = id => document.getElementById(id);
  const form = by("tools"), width = +form.dataset.width, shard = +form.dataset.shard, all = +form.dataset.papers;
  // what is said is in the page, in its language, for each form that a number asks for
  const spoken = document.documentElement.lang, forms = new Intl.PluralRules(spoken), digits = new Intl.NumberFormat(spoken);
  const texts = by("shown").dataset, most = +texts.most;
  const counted = number => (texts[forms.select(number)] ?? texts.other).replace("#", digits.format(number));
  const small = new Set(form.dataset.small.split(" ")), waiting = new Map(), loaded = new Map();
  window.digestIndex = (name, contents) => waiting.get(name)?.(contents);
  const load = (name, otherwise) => {
    if (!loaded.has(name)) {
      loaded.set(name, new Promise(resolve => {
        waiting.set(name, resolve);
        const script = document.createElement("script");
        script.src = `${name}.js`;
        script.addEventListener("error", () => resolve(otherwise));
        document.head.append(script);
      }));
    }
    return loaded.get(name);
  };
  // The same as in digest/publish/search.py
  const words = text => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
    .replace(/[\u3040-\u30ff\u3400-\u9fff]/g, " $& ").match(/[\p{L}\p{N}]+/gu) || [];
  const singular = word => word.length > 3 && /[^su]s$/.test(word) ? word.slice(0, -1).replace(/ie$/, "y") : word;
  const file = word => {
    const first = [...word].slice(0, width);
    return first.every(one => /[a-z0-9]/.test(one)) ? `words-${first.join("")}`
      : `words-u${(word.codePointAt(0) >> 8).toString(16)}`;
  };
  const matching = async word => {
    const known = await load(file(word), {}), scores = new Map();
    for (const [other, entries] of Object.entries(known)) {
      if (!other.startsWith(word)) continue;
      const rarity = Math.log(1 + all / (entries.length / 2)) * (other === word ? 1 : 0.5);
      for (let i = 0, number = 0; i < entries.length; i += 2) {
        number += entries[i];
        scores.set(number, Math.max(scores.get(number) || 0, entries[i + 1] * rarity));
      }
    }
    return scores;
  };
  const element = (name, text, fields) => Object.assign(document.createElement(name), { textContent: text }, fields);
  let asked = 0;
  const find = async () => {
    const turn = ++asked, typed = by("query").value.trim();
    const wanted = [...new Set(words(typed).filter(word => (word.length > 1 || word > "\x7f") && !small.has(word))
      .map(singular))];
    const found = await Promise.all(wanted.map(matching));
    const [first = new Map(), ...others] = found.sort((one, other) => one.size - other.size);
    const hits = [...first.keys()].filter(number => others.every(other => other.has(number)))
      .map(number => [number, found.reduce((sum, scores) => sum + scores.get(number), 0)])
      .sort((one, other) => other[1] - one[1] || other[0] - one[0]);
    const rows = await Promise.all(hits.slice(0, most).map(async ([number]) =>
      (await load(`papers-${Math.floor(number / shard)}`, []))[number % shard]));
    if (turn !== asked) return;
    by("found").replaceChildren(...rows.filter(Boolean).map(([name, title, authors, day]) => {
      const item = element("li", "", { dir: "auto" });
      item.append(element("a", title, { href: `../paper/${name}.html` }), element("br"),
        element("span", authors ? `${authors} · ${day}` : day));
      return item;
    }));
    by("shown").textContent = !wanted.length ? ""
      : hits.length > most ? texts.best.replace("#", counted(hits.length)) : counted(hits.length);
    by("none").hidden = !wanted.length || hits.length > 0;
    history.replaceState(null, "", typed ? `#${encodeURIComponent(typed)}` : location.pathname);
  };
  form.addEventListener("input", find);
  try { by("query").value = decodeURIComponent(location.hash.slice(1)); } catch { /* not ours */ }
  if (by("query").value) find();
  by("query").focus();
})();
