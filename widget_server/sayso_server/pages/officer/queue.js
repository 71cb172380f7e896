// The queue: what is due, the most pressing first.

import { choose, field, h, problems, show } from "./dom.js";
import { go } from "./go.js";
import { page } from "./session.js";
import { CHANNELS, KINDS, STATES, day, person, pressing } from "./words.js";

const filters = { state: "open", kind: "", due: "", text: "" };

export async function queue() {
  const list = h("ol", { class: "cards", "aria-label": "Requests" });
  const said = h("p", { role: "status", class: "quiet" });
  const more = h("p", {});
  let found = [];
  let next = null;

  const draw = () => {
    const shown = found.filter(fits);
    list.replaceChildren(...shown.map(card));
    const rest = next ? " More are on the server." : "";
    said.textContent = found.length ? `${shown.length} of ${found.length} shown.${rest}` : "Nothing is waiting here.";
    more.replaceChildren(...(next ? [h("button", { type: "button", onclick: () => load(next) }, "Load more")] : []));
  };

  const load = async (path) => {
    try {
      const answer = await page(path);
      found = [...found, ...answer.requests];
      next = answer.next;
      draw();
    } catch (error) {
      list.replaceChildren(h("li", {}, problems(error)));
    }
  };

  const reload = () => {
    found = [];
    return load(`/v1/requests?state=${filters.state}`);
  };

  const set = (name, then) => (event) => {
    filters[name] = event.target.value;
    then();
  };

  const states = [["open", "Open"], ["closed", "Closed"], ...Object.entries(STATES)];
  const dues = [["", "Any time"], ["late", "Overdue or due within a day"], ["soon", "Within 7 days"]];
  const text = h("input", { type: "search", name: "text", value: filters.text, oninput: set("text", draw) });
  const kinds = [["", "Anything"], ...Object.entries(KINDS)];
  const form = h(
    "form",
    { class: "filters", role: "search", "aria-label": "Filter the queue", onsubmit: (event) => event.preventDefault() },
    field("State", choose("state", states, { value: filters.state, onchange: set("state", reload) })),
    field("What", choose("kind", kinds, { value: filters.kind, onchange: set("kind", draw) })),
    field("Due", choose("due", dues, { value: filters.due, onchange: set("due", draw) })),
    field("Name, id or reference", text, { mark: false }),
  );
  show("Queue", form, said, list, more);
  await reload();
}

function fits(request) {
  const how = pressing(request).kind;
  const wanted = filters.text.trim().toLowerCase();
  return (
    (!filters.kind || request.kind === filters.kind) &&
    (!filters.due || how === "late" || (filters.due === "soon" && how === "soon")) &&
    (!wanted || [request.id, request.consumer_id, person(request)].some((one) => one && one.toLowerCase().includes(wanted)))
  );
}

/** One request, to be opened. */
export function card(request) {
  const how = pressing(request);
  const title = `${KINDS[request.kind] || request.kind} — ${person(request)}`;
  const due = request.due_at ? `Due ${day(request.due_at)}` : `Closed ${day(request.closed_at)}`;
  return h(
    "li",
    { class: `card ${how.kind}` },
    h("p", { class: "badge" }, how.words),
    h("h2", {}, h("button", { type: "button", class: "plain", onclick: () => go("request", request.id) }, title)),
    h(
      "p",
      { class: "quiet" },
      `${due} · ${STATES[request.state] || request.state} · by ${CHANNELS[request.channel] || request.channel}`,
      request.jurisdiction ? ` · ${request.jurisdiction}` : " · place not known",
    ),
  );
}

