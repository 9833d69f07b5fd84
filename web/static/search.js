// SPDX-License-Identifier: AGPL-3.0-or-later
// Suggestions under a search field, as a combobox with a list (ARIA 1.2, APG), and
// « near me » under a place. Without this file both are plain fields.
"use strict";
// list puts the list under the field, and what says how long it is to who does not see it.
const list = (input) => {
  const box = document.createElement("ul");
  box.id = input.id + "-list";
  box.className = "suggestions";
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", input.dataset.suggestLabel);
  box.hidden = true;
  const said = document.createElement("span");
  said.className = "hidden";
  said.setAttribute("role", "status");
  input.parentElement.append(box, said);
  for (const [k, v] of [["role", "combobox"], ["autocomplete", "off"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", box.id]]) input.setAttribute(k, v);
  return [box, said];
};
const combobox = (input) => {
  const [box, said] = list(input);
  let at = -1, timer = 0, asked = null;
  const close = () => {
    clearTimeout(timer);
    asked?.abort();
    mark(-1);
    box.hidden = true;
    said.textContent = "";
    input.setAttribute("aria-expanded", "false");
  };
  const mark = (n) => {
    at = n;
    [...box.children].forEach((o, i) => o.setAttribute("aria-selected", String(i === n)));
    if (n < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", box.children[n].id);
    box.children[n].scrollIntoView({ block: "nearest" });
  };
  const show = (found) => {
    box.replaceChildren(...found.map((s, i) => {
      const option = document.createElement("li"), hint = document.createElement("small");
      option.id = box.id + "-" + i;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.url = s.url;
      hint.textContent = s.hint;
      option.append(s.label, " ", hint);
      option.addEventListener("mousedown", (e) => e.preventDefault()); // the field keeps the focus
      option.addEventListener("click", () => location.assign(s.url));
      return option;
    }));
    if (!found.length) return close();
    mark(-1);
    box.hidden = false;
    said.textContent = `${input.dataset.suggestLabel} (${found.length})`;
    input.setAttribute("aria-expanded", "true");
  };
  const ask = async () => {
    asked?.abort();
    if (input.value.trim().length < 2) return close();
    asked = new AbortController();
    const url = new URL(input.dataset.suggest, location.href);
    url.searchParams.set("q", input.value);
    try {
      const answer = await fetch(url, { signal: asked.signal });
      if (answer.ok && document.activeElement === input) show(await answer.json());
    } catch { /* typed on, or away: the field works by itself */ }
  };
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 150); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (e) => {
    if (e.isComposing || e.ctrlKey || e.altKey || e.metaKey) return;
    const n = box.hidden ? 0 : box.children.length, arrow = e.key === "ArrowDown" || e.key === "ArrowUp";
    if (e.key === "Escape" && n) { e.preventDefault(); close(); }
    else if (arrow && !n) { e.preventDefault(); ask(); }
    else if (arrow) {
      e.preventDefault();
      mark(e.key === "ArrowDown" ? (at + 2) % (n + 1) - 1 : (at + n + 1) % (n + 1) - 1);
    }
  });
  input.form.addEventListener("submit", (e) => {
    if (at >= 0) { e.preventDefault(); location.assign(box.children[at].dataset.url); }
  });
};
document.querySelectorAll("input[data-suggest]").forEach(combobox);
const button = document.querySelector("button[data-near]");
if (button && "geolocation" in navigator) {
  const failed = document.createElement("p");
  failed.className = "error";
  failed.setAttribute("role", "alert");
  button.hidden = false;
  button.addEventListener("click", () => navigator.geolocation.getCurrentPosition((p) => {
    const input = document.getElementById(button.dataset.near);
    // A hundredth of a degree, about a kilometre: the address may be shared.
    input.value = p.coords.latitude.toFixed(2) + "," + p.coords.longitude.toFixed(2);
    input.form.requestSubmit();
  }, () => {
    failed.textContent = button.dataset.failed;
    button.after(failed);
  }));
}
