// Elements without markup: text stays text, whoever wrote it.

/**
 * Make an element.
 * @param {string} tag
 * @param {Object} [attributes] - `class`, `for` and the like as attributes, `on…` as listeners, booleans as flags.
 * @param {...(Node|string|null|false)} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let made = 0;

/** A labelled control, with a hint that screen readers say along with it. */
export function field(label, control, { hint = null, wide = false, mark = true } = {}) {
  made += 1;
  const id = `f${made}`;
  control.id = id;
  const parts = [h("label", { for: id }, label, mark && !control.required ? optional(control) : null)];
  if (hint) {
    control.setAttribute("aria-describedby", `${id}-hint`);
    parts.push(h("span", { id: `${id}-hint`, class: "quiet" }, hint));
  }
  return h("div", { class: wide ? "field wide" : "field" }, ...parts, control);
}

function optional(control) {
  return control.tagName === "SELECT" || control.type === "checkbox" ? null : h("span", { class: "quiet" }, " (optional)");
}

/** A select of [value, label] pairs. */
export function choose(name, options, { value = "", required = false, onchange = null } = {}) {
  const made = options.map(([key, label]) => h("option", { value: key, selected: key === value }, label));
  return h("select", { name, required, onchange }, ...made);
}

/** Show something in `main`, and let the keyboard and screen readers go on from its heading. */
export function show(title, ...parts) {
  const heading = h("h1", { tabindex: "-1" }, title);
  document.getElementById("main").replaceChildren(heading, ...parts.flat().filter(Boolean));
  document.title = `${title} · Privacy desk`;
  heading.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** Say what has happened or what is wrong, in words and aloud. */
export function notice(text, kind = "good") {
  return h("p", { class: `notice ${kind}`, role: kind === "bad" ? "alert" : "status" }, text);
}

/** What is wrong with what was sent, member by member. */
export function problems(error) {
  const each = error.errors.filter((one) => one.message !== error.message);
  return h(
    "div",
    { class: "notice bad", role: "alert", tabindex: "-1" },
    h("p", {}, error.message),
    each.length ? h("ul", {}, ...each.map((one) => h("li", {}, `${one.pointer.slice(1)}: ${one.message}`))) : null,
  );
}
