// Entering what came by post, phone, e-mail or at the counter; and finding people by an address.

import { choose, field, h, notice, problems, show } from "./dom.js";
import { go } from "./go.js";
import { call, may } from "./session.js";
import { card } from "./queue.js";
import { auditLine, pages } from "./request.js";
import { CHANNELS, FAULTS, KINDS, LANGUAGES, PLACES } from "./words.js";

const EXTRA = {
  correct: () => [
    field("What is wrong", h("input", { type: "text", name: "about", required: true, maxlength: "160" }), { hint: "A field or a topic, such as phone." }),
    field("In which way", choose("fault", Object.entries(FAULTS), { required: true })),
  ],
  "minor-content-removal": () => [
    field("Public addresses", h("textarea", { name: "urls", rows: "3", required: true }), { hint: "One on each line, whole: https://…", wide: true }),
  ],
};

export function enter() {
  const officer = may("privacy_officer");
  const said = h("div", {});
  const extra = h("div", { class: "grid wide" });
  const kind = choose("kind", Object.entries(KINDS), { value: "access", required: true, onchange: () => more() });
  const more = () => extra.replaceChildren(...(EXTRA[kind.value] ? EXTRA[kind.value]() : []));
  const ways = officer ? ["post", "phone", "email", "in_person"] : ["phone"];
  const today = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
  const text = (name, type = "text", attributes = {}) => h("input", { type, name, autocomplete: "off", ...attributes });
  const submit = h("button", { type: "submit", class: "main" }, "Enter it");
  // Made once for this form: sending it twice files nothing twice.
  const id = crypto.randomUUID();
  const made = h(
    "form",
    { class: "grid" },
    field("What they ask", kind),
    field("It came by", choose("channel", ways.map((way) => [way, CHANNELS[way]]), { required: true })),
    officer ? field("Received on", text("received", "date", { value: today, max: today, required: true }), { hint: "The clock runs from then." }) : null,
    field("Where they live", choose("place", Object.entries(PLACES))),
    field("Another place", text("other", "text", { pattern: "[A-Z]{2}(-[A-Z0-9]{1,3})?", title: "such as DE or US-TX" }), { hint: "Such as DE or US-TX." }),
    field("Answer in", choose("language", Object.entries(LANGUAGES))),
    extra,
    field("Consumer", text("consumer_id"), { hint: "The brand’s own id, if you know whose it is." }),
    field("Name", text("name")),
    field("E-mail", text("email", "email")),
    field("Phone", text("phone", "tel")),
    field("Postal address", h("textarea", { name: "address", rows: "3" }), { wide: true }),
    field("In their words", h("textarea", { name: "text", rows: "4" }), { wide: true }),
    h("div", { class: "wide" }, said),
    h("p", { class: "wide" }, submit),
  );
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      const filed = await call("POST", "/v1/requests", { id, ...members(new FormData(made), today) });
      if (officer) go("request", filed.id);
      else show("Entered", notice(`It is entered, and due ${new Date(filed.due_at).toDateString()}.`), h("p", {}, "Reference: ", h("code", {}, filed.id)));
    } catch (error) {
      submit.disabled = false;
      said.replaceChildren(problems(error));
      said.firstChild.focus();
    }
  });
  show("Enter a request", h("p", { class: "quiet" }, "Name the consumer, or give an e-mail address, phone number or postal address to answer to."), made);
}

function members(data, today) {
  const text = (name) => (data.get(name) || "").trim() || undefined;
  const received = text("received");
  const contact = Object.fromEntries(["name", "email", "phone", "address"].map((name) => [name, text(name)]));
  const urls = text("urls");
  return {
    kind: data.get("kind"),
    channel: data.get("channel"),
    consumer_id: text("consumer_id"),
    jurisdiction: text("other") || text("place"),
    language: data.get("language"),
    received_at: received && received !== today ? new Date(`${received}T12:00:00`).toISOString() : undefined,
    contact,
    detail: { text: text("text"), about: text("about"), fault: text("fault"), urls: urls && urls.split(/\s+/) },
  };
}

export function find() {
  const said = h("div", { role: "status" });
  const list = h("ol", { class: "cards", "aria-label": "Found" });
  const by = h("input", { type: "text", name: "address", required: true, autocomplete: "off", spellcheck: "false" });
  const made = h(
    "form",
    { class: "filters", role: "search" },
    field("E-mail address or phone number", by, { hint: "The whole of it. Only a keyed digest is looked for." }),
    h("p", {}, h("button", { type: "submit", class: "main" }, "Find")),
  );
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = by.value.trim();
    try {
      const { requests } = await call("POST", "/v1/requests/find", text.includes("@") ? { email: text } : { phone: text });
      list.replaceChildren(...requests.map(card));
      said.replaceChildren(requests.length ? `${requests.length} found.` : "No request is known under this.");
    } catch (error) {
      list.replaceChildren();
      said.replaceChildren(problems(error));
    }
  });
  show("Find by e-mail or phone", made, said, list);
}

export function audit() {
  show("Audit", h("p", { class: "quiet" }, "Who did what, newest first. No line names a consumer."), pages("/v1/audit", "audit", auditLine, "Nothing yet."));
}
