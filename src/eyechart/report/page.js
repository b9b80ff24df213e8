"use strict";
// Filters the list of items. Without this script the page is a plain list of all of them.
(() => {
  const form = document.querySelector(".filters");
  if (!form) return;
  const shown = form.querySelector(".shown");
  const items = [...document.querySelectorAll(".item")].map((node) => ({ node, text: null }));
  const text = (item) => (item.text ??= item.node.textContent.toLowerCase());

  const matches = (item, status, facets, words) =>
    (!status || item.node.dataset.status === status) &&
    facets.every(([index, value]) => item.node.dataset["f" + index] === value) &&
    words.every((word) => text(item).includes(word));

  const apply = () => {
    const status = form.elements.status.value;
    const facets = [...form.querySelectorAll("select")]
      .filter((select) => select.selectedIndex > 0)
      .map((select) => [select.dataset.facet, select.value]);
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const item of items) {
      item.node.hidden = !matches(item, status, facets, words);
      n += item.node.hidden ? 0 : 1;
    }
    shown.textContent = `${n.toLocaleString("en")} of ${items.length.toLocaleString("en")} shown`;
  };

  let timer = 0;
  form.addEventListener("change", apply);
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(apply, 120); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
})();
