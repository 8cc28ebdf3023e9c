// Sorts and filters the papers of a day, in the page itself. Without it they are in the order of votes.
"use strict";
(() => {
  const by = id => document.getElementById(id);
  const list = by("papers");
  if (!list) return;
  // what is said is in the page, in its language, for each form that a number asks for
  const spoken = document.documentElement.lang, forms = new Intl.PluralRules(spoken), digits = new Intl.NumberFormat(spoken);
  const texts = by("shown").dataset;
  const counted = number => (texts[forms.select(number)] ?? texts.other).replace("#", digits.format(number));
  // words, each behind a blank, so that what is typed is looked for at their beginnings
  const fold = text => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
    .replace(/[^\p{L}\p{N}]+|(?=[\u3040-\u30ff\u3400-\u9fff])/gu, " ");
  const papers = [...list.children].map((item, place) => ({
    item, place, title: item.querySelector("h2").textContent, text: " " + fold(item.textContent),
    subjects: item.dataset.subjects.split(" "), code: item.dataset.code === "1",
  }));
  const compared = {
    title: (one, other) => one.title.localeCompare(other.title, spoken),
    ...Object.fromEntries(["votes", "comments", "stars"].map(
      name => [name, (one, other) => other.item.dataset[name] - one.item.dataset[name]])),
  };
  const show = () => {
    const words = fold(by("filter").value).split(" ").filter(Boolean);
    const subject = by("subject") ? by("subject").value : "";
    let shown = 0;
    for (const paper of papers) {
      const wanted = words.every(word => paper.text.includes(" " + word))
        && (!subject || paper.subjects.includes(subject)) && (!by("code").checked || paper.code);
      paper.item.hidden = !wanted;
      shown += wanted;
    }
    const order = compared[by("sort").value];
    papers.sort((one, other) => order(one, other) || one.place - other.place);
    list.append(...papers.map(paper => paper.item));
    by("shown").textContent = counted(shown);
    by("none").hidden = shown > 0;
  };
  by("all").addEventListener("click", () => {
    by("filter").value = "";
    by("code").checked = false;
    if (by("subject")) by("subject").value = "";
    show();
    by("filter").focus();
  });
  for (const kind of ["input", "change"]) by("tools").addEventListener(kind, show);
  show(); // a browser that goes back has kept what was chosen
})();
