// The privacy desk: signing in, moving about, signing out.

import { h, notice, problems, show } from "./dom.js";
import { audit, enter, find } from "./enter.js";
import { replace, view, go } from "./go.js";
import { queue } from "./queue.js";
import { request } from "./request.js";
import { call, may, onOver, signIn, signOut, who } from "./session.js";

const VIEWS = [
  ["queue", "Queue", queue, ["privacy_officer", "auditor"]],
  ["enter", "Enter", enter, ["privacy_officer", "agent"]],
  ["find", "Find", find, ["privacy_officer"]],
  ["audit", "Audit", audit, ["privacy_officer", "auditor"]],
];
const main = document.getElementById("main");
let hidden = null;
let entering = false;

for (const [name, , draw] of VIEWS) view(name, draw);
view("request", request);

function start(problem) {
  const link = h("input", { type: "text", name: "link", autocomplete: "off", spellcheck: "false", required: true, id: "link" });
  const help = h("p", {}, "You need a sign-in link that was not used yet. Whoever runs this server makes one with ", h("code", {}, "sayso-server staff link NAME --brand ID"), ".");
  const form = h("form", {}, h("p", {}, h("label", { for: "link" }, "Your sign-in link"), link), h("p", {}, h("button", { type: "submit", class: "main" }, "Sign in")));
  form.addEventListener("submit", (event) => submit(event, link.value));
  show("Sign in", problem, help, form);
}

function submit(event, text) {
  event.preventDefault();
  const token = tokenIn(text);
  if (token) enterBy(token);
  else start(notice("This is no sign-in link; it looks like https://…/invite/…", "bad"));
}

/** The token of a sign-in link, or null. Mail programs may have escaped what stands in it. */
function tokenIn(link) {
  const found = /\/invite\/([^/?#\s]+)\s*$/.exec(link);
  try {
    return found && decodeURIComponent(found[1]);
  } catch {
    return null;
  }
}

async function enterBy(token) {
  // A second click would find the link used up by the first.
  if (entering) return;
  entering = true;
  try {
    await signIn(token);
  } catch (error) {
    history.replaceState(null, "", "/officer");
    start(problems(error));
    return;
  } finally {
    entering = false;
  }
  draw();
}

function draw() {
  const session = who();
  const shown = VIEWS.filter(([, , , roles]) => may(...roles));
  const links = shown.map(([name, label]) => h("button", { type: "button", class: "tab", "data-view": name, onclick: () => go(name) }, label));
  document.querySelector(".bar-title").textContent = `Privacy desk · ${session.brand_name}`;
  document.getElementById("nav")?.remove();
  if (links.length) document.querySelector(".bar").append(h("nav", { id: "nav", "aria-label": "Privacy desk" }, ...links));
  document.getElementById("who").replaceChildren(
    h("span", {}, session.staff),
    h("button", { type: "button", onclick: nextLink }, "Link for next time"),
    h("button", { type: "button", onclick: signOut }, "Sign out"),
  );
  if (hidden !== null && hidden.staff === session.staff && hidden.brand === session.brand) {
    // Back after a break: everything is as it was, what was typed too.
    main.replaceChildren(...hidden.nodes);
    hidden = null;
    history.replaceState(history.state, "", "/officer");
    return;
  }
  hidden = null;
  if (shown.length) replace(shown[0][0]);
  else {
    history.replaceState(null, "", "/officer");
    show("Privacy desk", h("p", {}, "An administrator publishes catalogues with the command line; there is nothing here to do."));
  }
}

async function nextLink() {
  const dialog = h("dialog", { "aria-labelledby": "next-title" });
  const close = h("button", { type: "button", onclick: () => dialog.close() }, "Close");
  dialog.append(h("h2", { id: "next-title" }, "Link for next time"));
  try {
    const { url } = await call("POST", "/v1/staff/links");
    const shown = h("input", { type: "text", readonly: true, value: url, id: "next-link", "aria-describedby": "next-hint" });
    const copied = h("span", { role: "status" });
    const copy = async () => {
      shown.select();
      await navigator.clipboard.writeText(url);
      copied.textContent = "Copied.";
    };
    dialog.append(
      h("p", {}, h("label", { for: "next-link" }, "Your next sign-in link"), shown),
      h("p", { id: "next-hint", class: "quiet" }, "It signs you in once, within 72 hours. Keep it as you keep a password. One that you made before no longer works."),
      h("p", { class: "row" }, h("button", { type: "button", class: "main", onclick: copy }, "Copy"), close, copied),
    );
  } catch (error) {
    dialog.append(problems(error), h("p", {}, close));
  }
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

onOver((session, wanted) => {
  hidden = wanted ? null : { staff: session.staff, brand: session.brand, nodes: [...main.childNodes] };
  document.getElementById("nav")?.remove();
  document.getElementById("who").replaceChildren();
  document.querySelector(".bar-title").textContent = "Privacy desk";
  document.querySelector("dialog")?.close();
  const kept = "You are signed out. What you were doing is kept on this page until it is closed; sign in to go on.";
  start(wanted ? notice("You have signed out.") : notice(kept, "bad"));
});

// What the server drew is where it starts.
document.getElementById("sign-in")?.addEventListener("click", () => enterBy(tokenIn(location.pathname)));
document.getElementById("link-form")?.addEventListener("submit", (event) => submit(event, event.target.elements.link.value));
