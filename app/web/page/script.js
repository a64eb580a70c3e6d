"use strict";

const REFRESH_MS = 3000;
const ANSWER_MS = 15000;
const LARGEST_CENTS = 100000000000;

const at = (id) => document.getElementById(id);
const pageVersion = at("page-version").textContent;
const money = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const day = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

let shown = null;
let attempt = null;
let refreshing = false;

/** Ask the API; throw an Error whose message is for people. */
async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  let data = {};
  try {
    data = await response.json();
  } catch {
    // The status says enough.
  }
  if (!response.ok) {
    throw new Error(data.error ? `${response.status}: ${data.error}` : `The server answered ${response.status}.`);
  }
  return data;
}

/** "12.3" -> 1230; NaN when it is no amount. */
function cents(text) {
  const match = /^([+-]?)(\d{1,10})(?:[.,](\d{1,2}))?$/.exec(text.trim().replace(/\u2212/, "-"));
  if (!match) return NaN;
  const value = Number(match[2]) * 100 + Number((match[3] ?? "").padEnd(2, "0"));
  if (value > LARGEST_CENTS) return NaN;
  return match[1] === "-" && value !== 0 ? -value : value;
}

/** Not crypto.randomUUID: browsers offer that over HTTPS only. */
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function say(id, text) {
  const element = at(id);
  element.hidden = !text;
  if (element.textContent !== text) element.textContent = text;
}

function showVersions(api) {
  const element = at("api-version");
  element.textContent = api ? api.version : "no answer";
  element.dataset.state = !api ? "gone" : api.version === pageVersion ? "same" : "differs";
  at("schema-version").textContent = api?.schema_live ?? "unknown";
  say("mismatch", api && api.version !== pageVersion
    ? `This page is ${pageVersion}, but the API is ${api.version}. A release may be under way; reload the page to get its newest version.`
    : "");
}

function cell(text, className = "") {
  const element = document.createElement("td");
  element.textContent = text;
  element.className = className;
  return element;
}

function row(entry, isNew) {
  const element = document.createElement("tr");
  element.dataset.id = entry.id;
  element.className = isNew ? "new" : "";
  element.append(
    cell(day.format(new Date(entry.created_at))),
    cell(entry.description),
    cell(money.format(entry.amount / 100), "number"),
  );
  return element;
}

function showLedger(ledger) {
  const state = JSON.stringify(ledger);
  if (state === shown) return;
  const known = new Set([...at("entries").children].map((element) => element.dataset.id));
  const rows = ledger.entries.map((entry) => row(entry, shown !== null && !known.has(String(entry.id))));
  if (rows.length === 0) {
    const empty = cell("No entries yet. Add the first one above.", "quiet");
    empty.colSpan = 3;
    rows.push(document.createElement("tr"));
    rows[0].append(empty);
  }
  at("entries").replaceChildren(...rows);
  at("sum").textContent = money.format(ledger.sum / 100);
  const more = ledger.count > ledger.entries.length ? `, the newest ${ledger.entries.length} shown` : "";
  at("count").textContent = `${ledger.count} ${ledger.count === 1 ? "entry" : "entries"}${more}`;
  shown = state;
}

async function refresh() {
  if (refreshing) return;
  refreshing = true;
  const [version, ledger] = await Promise.allSettled([ask("/api/version"), ask("/api/entries")]);
  showVersions(version.value);
  if (ledger.status === "fulfilled") showLedger(ledger.value);
  say("trouble", ledger.status === "rejected" ? `The entries cannot be shown. ${ledger.reason.message}` : "");
  refreshing = false;
}

function mark(name, problem) {
  at(`${name}-error`).textContent = problem;
  at(name).setAttribute("aria-invalid", String(Boolean(problem)));
  return !problem;
}

/** The form's content, or null after marking what is wrong and going there. */
function draft() {
  const description = at("description").value.trim();
  const amount = cents(at("amount").value);
  const good = [
    mark("description", description ? "" : "Say what it is for."),
    mark("amount", Number.isNaN(amount) ? "Write an amount such as 12.50 or -3." : ""),
  ];
  if (good.every(Boolean)) return { description, amount };
  at(good[0] ? "amount" : "description").focus();
  return null;
}

async function add(event) {
  event.preventDefault();
  if (at("add").getAttribute("aria-disabled") === "true") return;
  say("added", "");
  say("not-added", "");
  const entry = draft();
  if (!entry) return;
  const body = JSON.stringify(entry);
  // The same content sent again after an error keeps its key, so that it is never booked twice.
  if (attempt?.body !== body) attempt = { body, key: newKey() };
  at("add").setAttribute("aria-disabled", "true");
  try {
    const stored = await ask("/api/entries", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": attempt.key },
      body,
    });
    attempt = null;
    at("form").reset();
    say("added", `Added: ${stored.description}, ${money.format(stored.amount / 100)}.`);
    at("description").focus();
  } catch (problem) {
    say("not-added", `Not added. ${problem.message}`);
  }
  at("add").setAttribute("aria-disabled", "false");
  await refresh();
}

at("form").addEventListener("submit", add);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
setInterval(() => { if (!document.hidden) refresh(); }, REFRESH_MS);
refresh();
