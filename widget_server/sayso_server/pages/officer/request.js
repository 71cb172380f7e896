// One request: what is asked, by when, what may be done, and what is known about it.

import { form } from "./acts.js";
import { h, notice, problems, show } from "./dom.js";
import { go } from "./go.js";
import { call, file, may, page } from "./session.js";
import { ACTS, CHANNELS, FAULTS, HOLDERS, KINDS, LANGUAGES, REASONS, STATES, day, moment, person, pressing, stamp, waitsForName } from "./words.js";

export async function request(id, said = null) {
  let found;
  try {
    found = await call("GET", `/v1/requests/${id}`);
  } catch (error) {
    return show("Request", problems(error), back());
  }
  return draw(found, said);
}

function draw(found, said) {
  const how = pressing(found);
  const space = h("div", { class: "act", "aria-live": "off" });
  const redraw = (changed, words) => draw(changed, notice(words));
  const refused = async (error) => draw(await call("GET", `/v1/requests/${found.id}`), problems(error));
  const buttons = found.legal.map((act) => {
    const open = () => {
      const made = form(act, found, { done: redraw, refused, close: () => close(button) });
      space.replaceChildren(made);
      made.querySelector("textarea, input, select, button").focus();
    };
    const button = h("button", { type: "button", class: act === "fulfil" ? "main" : "", onclick: open }, ACTS[act] || act);
    return h("li", {}, button);
  });
  const close = (button) => {
    space.replaceChildren();
    button.focus();
  };
  show(
    `${KINDS[found.kind] || found.kind} — ${person(found)}`,
    back(),
    said,
    h("p", { class: `badge ${how.kind}` }, how.words),
    waitsForName(found) ? h("p", {}, "Find out whose it is, such as by “Find” or in the brand’s own system, and name them with “Start work”: it is in force from then on. Nobody has to show who they are for this.") : null,
    facts(found),
    section("What can be done now", found.legal.length ? h("ul", { class: "buttons" }, ...buttons) : h("p", {}, "Nothing; " + (may("privacy_officer") ? "it is closed." : "you can look at it.")), space),
    result(found),
    asked(found),
    answered(found),
    deadlines(found),
    recourse(found),
    evidence(found),
    events(found),
    audit(found),
  );
  return null;
}

const back = () => h("p", {}, h("button", { type: "button", class: "plain", onclick: () => go("queue") }, "← Queue"));

export function section(title, ...parts) {
  return h("section", {}, h("h2", {}, title), ...parts);
}

function list(pairs) {
  const there = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", {}, ...there.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function facts(found) {
  return list([
    ["Reference", h("code", {}, found.id)],
    ["State", STATES[found.state] || found.state],
    ["Due", found.due_at ? day(found.due_at) : null],
    ["Closed", day(found.closed_at)],
    ["Received", `${day(found.received_at)}, by ${CHANNELS[found.channel] || found.channel}`],
    ["Entered by", `${stamp(found.filed_by)}, ${moment(found.filed_at)}`],
    ["Consumer", found.consumer_id || "not known yet"],
    ["Who asks", found.verified ? `made sure: ${found.verified.how}` : "not made sure yet"],
    ["Proof awaited until", day(found.verify_until)],
    ["Lives in", found.jurisdiction || "not known: the strictest law counts"],
    ["Answer in", LANGUAGES[found.language] || found.language],
    ["Worked on by", HOLDERS[found.held_by] || found.held_by],
  ]);
}

function asked(found) {
  const { contact, detail, effects } = found;
  const urls = Object.entries(detail.urls || {});
  return section(
    "What they ask",
    detail.text ? h("blockquote", {}, detail.text) : null,
    list([
      ["Name", contact.name],
      ["E-mail", contact.email],
      ["Phone", contact.phone],
      ["Address", contact.address],
      ["What is wrong", detail.about ? `${detail.about}: ${FAULTS[detail.fault] || ""}` : null],
      ["Topics", (detail.topics || []).join(", ")],
      ["Stopped at once", (effects.refused || []).map((key) => (key === "*" ? "everything" : key)).join(", ")],
      ["In force", effects.restricted ? "a restriction" : null],
      ["Erased", effects.erased ? "yes; what was in the request is gone, too" : null],
    ]),
    urls.length ? h("ul", {}, ...urls.map(([url, state]) => h("li", {}, `${url}: ${state}`))) : null,
    !detail.text && !Object.keys(contact).length && !urls.length ? h("p", { class: "quiet" }, "Nothing more than the kind of request.") : null,
  );
}

function answered(found) {
  const { denial, extension, answer } = found;
  if (!denial && !extension && !answer) return null;
  return section(
    "What they were told",
    list([
      ["Extended", extension ? `until ${day(extension.until)}: ${extension.reason}` : null],
      ["Answer", answer],
      ["Denied", denial ? REASONS[denial.reason] || denial.reason : null],
    ]),
    denial ? h("blockquote", {}, denial.words) : null,
  );
}

function deadlines(found) {
  const dates = found.deadlines;
  return section(
    "Time limits",
    list([
      ["Confirm receipt by", day(dates.acknowledge_by)],
      ["Answer by", day(dates.respond_by)],
      ["Tell of an extension by", day(dates.extend_by)],
      ["Extended until at most", day(dates.extended_until)],
      ["Set by", dates.set_by],
      ["Laws that count", dates.laws.join(", ")],
    ]),
  );
}

function recourse(found) {
  const offices = found.recourse.offices.map((one) => h("li", {}, h("a", { href: one.url, rel: "noreferrer", target: "_blank" }, one.name), " (opens a new tab)"));
  const much = h("details", {}, h("summary", {}, "What they are told about it"), h("p", {}, found.recourse.words));
  return section("Whom they can turn to", h("ul", {}, ...offices), much);
}

function result(found) {
  if (!found.result_until || !may("privacy_officer")) return null;
  const said = h("p", { role: "status" });
  const get = async () => {
    try {
      const url = URL.createObjectURL(await file(`/v1/requests/${found.id}/result`));
      h("a", { href: url, download: `request-${found.id}.zip` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
      said.textContent = "The file is on its way.";
    } catch (error) {
      said.replaceChildren(problems(error));
    }
  };
  const until = `Everything held, as JSON, CSV and a page to read. It is made anew each time, until ${day(found.result_until)}.`;
  return section("The answer", h("p", {}, until), h("p", {}, h("button", { type: "button", onclick: get }, "Download the zip")), said);
}

function evidence(found) {
  if (!found.consumer_id) return section("Evidence", h("p", { class: "quiet" }, "Nobody knows yet whose request this is, so there is nothing to show."));
  const whose = encodeURIComponent(found.consumer_id);
  return section(
    "Evidence",
    h("h3", {}, "Every choice on record"),
    pages(`/v1/consumers/${whose}/choices`, "choices", choice, "Nothing is on record."),
    h("h3", {}, "Who got data"),
    pages(`/v1/disclosures?consumer=${whose}`, "disclosures", handOver, "Nothing was handed over."),
  );
}

function choice(one) {
  const seen = one.notice ? `notice ${one.notice.version ?? ""} in ${one.notice.language}` : null;
  const parts = [moment(one.made_at || one.recorded_at), `by ${one.actor || "consumer"}`, `through ${one.method}`, seen];
  const does = { granted: "allowed", denied: "refused", withdrawn: "withdrawn" }[one.answer] || one.answer || one.kind;
  return h("li", {}, h("strong", {}, `${one.topic || one.kind || ""}: ${does}`), h("br"), h("span", { class: "quiet" }, parts.filter(Boolean).join(" · ")));
}

function handOver(one) {
  const held = (one.fields_held_back || []).length ? `; held back: ${one.fields_held_back.join(", ")}` : "";
  const sent = (one.fields_sent || []).join(", ") || "nothing";
  return h("li", {}, h("strong", {}, `${one.partner} (${one.flow || "share"})`), h("br"), h("span", { class: "quiet" }, `${moment(one.at)} · sent: ${sent}${held}`));
}

function events(found) {
  const each = found.events.map((one) =>
    h("li", {}, h("strong", {}, told(one)), one.note ? h("span", {}, ` “${one.note}”`) : null, h("br"), h("span", { class: "quiet" }, `${moment(one.at)} · ${stamp(one.by)}`)),
  );
  return section("What has happened", h("ol", { class: "lines" }, ...each));
}

function told(event) {
  if (event.transition === "file") return "Received";
  const act = ACTS[event.transition] || event.transition;
  return event.to && event.to !== event.from ? `${act}: ${STATES[event.to] || event.to}` : act;
}

function audit(found) {
  if (!may("privacy_officer", "auditor")) return null;
  const own = (line) => line.request === found.id;
  const show = h("button", { type: "button" }, "Show");
  const space = h("div", {}, show);
  show.addEventListener("click", () => space.replaceChildren(pages("/v1/audit", "audit", auditLine, "No line about this request on this page.", own)));
  return section("Audit lines", space);
}

/** A line of the audit: ids and states, nobody's words. */
export function auditLine(line) {
  const about = line.request ? ` · request ${line.request.slice(0, 8)}` : "";
  const change = line.from && line.to ? ` · ${line.from} → ${line.to}` : "";
  const whom = line.staff ? ` · ${line.staff}` : "";
  return h("li", {}, h("strong", {}, line.event), h("span", {}, `${about}${whom}${change}`), h("br"), h("span", { class: "quiet" }, `${moment(line.recorded_at)} · by ${stamp(line.by)}`));
}

/** A list that grows page by page. */
export function pages(path, member, draw, empty, wanted = () => true) {
  const rows = h("ol", { class: "lines" });
  const more = h("p", { class: "quiet" }, "Loading…");
  const load = async (from) => {
    try {
      const answer = await page(from);
      rows.append(...answer[member].filter(wanted).map(draw));
      const button = answer.next ? h("button", { type: "button", onclick: () => load(answer.next) }, "Older") : null;
      more.replaceChildren(...(button ? [button] : rows.children.length ? [] : [empty]));
    } catch (error) {
      more.replaceChildren(error.message);
    }
  };
  load(path);
  return h("div", {}, rows, more);
}
