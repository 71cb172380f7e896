// Moving between views. The address stays /officer: no id of anybody gets into the browser's history.

import { who } from "./session.js";

const views = {};

/** Name a view's function. */
export function view(name, draw) {
  views[name] = draw;
}

/** Open a view; Back comes back to the one before. */
export function go(name, argument = null) {
  history.pushState({ name, argument }, "", "/officer");
  return open(name, argument);
}

/** Open a view in the place of the one that is open. */
export function replace(name, argument = null) {
  history.replaceState({ name, argument }, "", "/officer");
  return open(name, argument);
}

function open(name, argument) {
  for (const button of document.querySelectorAll("nav [data-view]")) {
    if (button.dataset.view === name) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  return views[name](argument);
}

window.addEventListener("popstate", (event) => {
  if (who() !== null && event.state && views[event.state.name]) open(event.state.name, event.state.argument);
});
