"use strict";
// One run, stepped through: everything is in the JSON beside this script, and nothing is fetched.
const run = JSON.parse(document.getElementById("run").textContent);
const at = (id) => document.getElementById(id);
const ROW = 22;
const MARGIN = 184;

// What is shown: places in run.moments, in order; `now` is a place in `shown`.
let shown = [];
let now = 0;
let witness = new Set();
let timer = null;
// Which view is up: 0 is the lanes, the others stand as text at chosen moments.
let tab = 0;

const children = run.moments.map(() => []);
run.moments.forEach((moment, place) => {
  if (moment.cause !== null) children[moment.cause].push(place);
});

function text(element, words) {
  element.textContent = words;
  return element;
}

function make(kind, name, words) {
  const element = document.createElement(kind);
  if (name) element.className = name;
  if (words !== undefined) element.textContent = words;
  return element;
}

function laneWidth() {
  const room = at("rows").clientWidth - MARGIN - 16;
  return Math.max(120, Math.floor(room / Math.max(1, run.nodes.length)));
}

const laneAt = (lane) => MARGIN + lane * laneWidth();

// The moments that are chosen: one message's trip or all; frames or not. An arrow stands for both ends of its frame, so of
// departures only those that never come in have a row.
function choose() {
  const before = shown.length ? shown[now] : 0;
  const focus = at("focus").value;
  const places = focus === "" ? run.moments.keys() : run.messages[Number(focus)].moments;
  const frames = at("frames").checked;
  shown = [];
  for (const place of places) {
    const moment = run.moments[place];
    if (moment.frame && (!frames || (!moment.frame.comes_in && !moment.frame.lost))) continue;
    shown.push(place);
  }
  let next = shown.findIndex((place) => place >= before);
  if (next < 0) next = Math.max(0, shown.length - 1);
  at("scrub").max = String(Math.max(0, shown.length - 1));
  canvas();
  go(next);
}

function canvas() {
  const sheet = at("canvas");
  sheet.style.height = shown.length * ROW + "px";
  sheet.style.width = laneAt(run.nodes.length) + "px";
  const heads = at("heads");
  heads.replaceChildren();
  run.nodes.forEach((node, lane) => {
    const head = make("span", "", node.name);
    head.title = node.name + " " + node.role + " " + node.addr;
    head.style.left = laneAt(lane) - 4 + "px";
    head.style.width = laneWidth() + "px";
    heads.append(head);
  });
}

function draw() {
  const rows = at("rows");
  const sheet = at("canvas");
  sheet.replaceChildren();
  run.nodes.forEach((_, lane) => {
    const line = make("div", "lane");
    line.style.left = laneAt(lane) + "px";
    line.style.height = Math.max(shown.length * ROW, rows.clientHeight) + "px";
    sheet.append(line);
  });
  const first = Math.max(0, Math.floor(rows.scrollTop / ROW) - 4);
  const last = Math.min(shown.length, Math.ceil((rows.scrollTop + rows.clientHeight) / ROW) + 4);
  for (let index = first; index < last; index++) sheet.append(row(index));
}

function row(index) {
  const place = shown[index];
  const moment = run.moments[place];
  const line = make("div", "row");
  line.dataset.place = String(place);
  line.style.top = index * ROW + "px";
  if (index === now) line.classList.add("now");
  if (index > now) line.classList.add("later");
  if (witness.has(place)) line.classList.add("witness");
  if (moment.main) line.classList.add("main");
  if (moment.node === null) line.classList.add("fault");
  line.append(make("span", "step", "#" + moment.step), make("span", "time", moment.time));
  if (moment.frame) {
    const frame = moment.frame;
    const [from, to] = frame.comes_in ? [frame.peer, moment.node] : [moment.node, frame.peer];
    const [left, right] = [Math.min(from, to), Math.max(from, to)].map(laneAt);
    const arrow = make("span", "arrow " + (from <= to ? "right" : "left"));
    if (frame.answers) arrow.classList.add("answer");
    if (frame.lost) arrow.classList.add("lost");
    arrow.style.left = left + "px";
    arrow.style.width = Math.max(6, right - left) + "px";
    const label = make("span", "label", frame.label);
    label.style.left = (left + right) / 2 + "px";
    line.append(arrow, label);
  } else {
    const lane = moment.node === null ? MARGIN : laneAt(moment.node);
    const words = make("span", "text", moment.node === null ? "X " + moment.text : moment.text);
    if (moment.node !== null) {
      const dot = make("span", "dot");
      dot.style.left = lane + "px";
      line.append(dot);
    }
    words.style.left = lane + 5 + "px";
    words.style.maxWidth = "max(" + (laneAt(run.nodes.length) - lane) + "px, 40ch)";
    line.append(words);
  }
  line.addEventListener("click", () => go(index));
  return line;
}

function link(place) {
  const moment = run.moments[place];
  const item = make("li");
  const who = moment.node === null ? "" : run.nodes[moment.node].name + ": ";
  const button = make("button", "", "#" + moment.step + " " + moment.time + "  " + who + moment.text);
  button.type = "button";
  button.addEventListener("click", () => jump(place));
  item.append(button);
  return item;
}

// To a moment that the choice may have left out: then everything is shown again.
function jump(place) {
  let index = shown.indexOf(place);
  if (index < 0) {
    at("focus").value = "";
    at("frames").checked = true;
    choose();
    index = shown.indexOf(place);
    // A departure that came in has no row of its own; its arrival has.
    if (index < 0) index = shown.findIndex((other) => run.moments[other].cause === place);
    if (index < 0) index = shown.findIndex((other) => other >= place);
  }
  go(Math.max(0, index));
}

function inspect(place) {
  const moment = run.moments[place];
  const who = moment.node === null ? run.words.fault : run.nodes[moment.node].name;
  text(at("inspector").querySelector("h2"), "#" + moment.step + "  " + moment.time + "  " + who + "  " + moment.kind);
  text(at("sentence"), moment.text);
  const table = at("fields");
  table.replaceChildren();
  for (const [name, value] of Object.entries(moment.fields)) {
    const line = make("tr");
    line.append(make("td", "", name), make("td", "", typeof value === "string" ? value : JSON.stringify(value)));
    table.append(line);
  }
  const why = at("why").querySelector("ol");
  why.replaceChildren();
  for (let cause = moment.cause, depth = 0; cause !== null && depth < 40; cause = run.moments[cause].cause, depth++) why.append(link(cause));
  if (!why.children.length) why.append(make("li", "", run.words.nothing));
  const then = at("then").querySelector("ol");
  then.replaceChildren(...children[place].slice(0, 40).map(link));
  if (!then.children.length) then.append(make("li", "", run.words.nothing));
}

// The view at the last chosen moment that is not ahead of the one that is looked at.
function view() {
  at("heads").hidden = at("rows").hidden = tab > 0;
  at("view").hidden = tab === 0;
  at("tabs").querySelectorAll("button").forEach((button, number) => button.setAttribute("aria-selected", String(number === tab)));
  if (tab === 0 || !run.samples.length) return;
  const step = shown.length ? run.moments[shown[now]].step + 1 : 0;
  let sample = run.samples[0];
  for (const other of run.samples) if (other.step <= step) sample = other;
  text(at("view"), run.words.moment + " #" + sample.step + "  " + sample.time + "\n\n" + run.texts[sample.views[tab - 1]]);
}

function open(number) {
  if (number > run.tabs.length) return;
  tab = number;
  view();
  if (tab === 0) draw();
}

function go(index) {
  if (!shown.length) return draw();
  now = Math.min(Math.max(0, index), shown.length - 1);
  const moment = run.moments[shown[now]];
  at("scrub").value = String(now);
  text(at("place"), now + 1 + "/" + shown.length + "  #" + moment.step + "  " + moment.time);
  const rows = at("rows");
  const top = now * ROW;
  if (top < rows.scrollTop + ROW) rows.scrollTop = Math.max(0, top - 3 * ROW);
  else if (top + 2 * ROW > rows.scrollTop + rows.clientHeight) rows.scrollTop = top + 4 * ROW - rows.clientHeight;
  inspect(shown[now]);
  view();
  draw();
  history.replaceState(null, "", "#" + moment.step);
}

function play() {
  if (timer !== null) {
    clearInterval(timer);
    timer = null;
  } else {
    timer = setInterval(() => (now + 1 < shown.length ? go(now + 1) : play()), 250);
  }
  text(at("play"), timer === null ? "\u25B6" : "\u275A\u275A");
}

// The moment that led to this one.
function toCause() {
  const cause = shown.length ? run.moments[shown[now]].cause : null;
  if (cause !== null) jump(cause);
}

const keys = {
  ".": () => go(now + 1), ArrowRight: () => go(now + 1), ArrowDown: () => go(now + 1), j: () => go(now + 1),
  ",": () => go(now - 1), ArrowLeft: () => go(now - 1), ArrowUp: () => go(now - 1), k: () => go(now - 1),
  g: () => go(0), Home: () => go(0), G: () => go(shown.length - 1), End: () => go(shown.length - 1),
  PageDown: () => go(now + 20), PageUp: () => go(now - 20), " ": play, w: toCause,
  1: () => open(0), 2: () => open(1), 3: () => open(2), 4: () => open(3), 5: () => open(4), 6: () => open(5),
};

function start() {
  text(at("title"), run.scenario + "  " + run.title);
  text(at("question"), run.question);
  const result = at("result");
  result.className = run.as_expected ? "good" : "bad";
  text(result, run.result);
  text(at("replay").querySelector("code"), run.replay);
  text(at("copy"), run.words.copy).addEventListener("click", () => navigator.clipboard?.writeText(run.replay));
  text(at("focus-word"), run.words.focus);
  text(at("frames-word"), run.words.frames);
  text(at("why").querySelector("h2"), run.words.why);
  text(at("then").querySelector("h2"), run.words.then);
  text(at("findings").querySelector("h2"), run.words.findings);
  text(at("help"), run.words.help);
  for (const id of ["first", "back", "play", "step", "last", "scrub"]) at(id).setAttribute("aria-label", run.words[id]);
  at("focus").append(new Option(run.words.all, ""), ...run.messages.map((message, number) => new Option(message.name, String(number))));
  [run.words.lanes, ...run.tabs].forEach((name, number) => {
    const button = make("button", "", number + 1 + " " + name);
    button.type = "button";
    button.setAttribute("role", "tab");
    button.addEventListener("click", () => open(number));
    at("tabs").append(button);
  });
  const list = at("findings").querySelector("ul");
  for (const finding of run.findings) {
    const item = make("li", finding.as_expected ? "" : "bad");
    const words = (finding.holds ? "+ " : "! ") + finding.id + "  " + finding.outcome + ": " + finding.summary;
    if (finding.witness.length) {
      const button = make("button", "", words);
      button.type = "button";
      button.addEventListener("click", () => {
        witness = new Set(finding.witness);
        jump(finding.witness[0]);
      });
      item.append(button);
    } else item.textContent = words;
    list.append(item);
  }
  at("first").addEventListener("click", keys.g);
  at("back").addEventListener("click", keys[","]);
  at("play").addEventListener("click", play);
  at("step").addEventListener("click", keys["."]);
  at("last").addEventListener("click", keys.G);
  at("scrub").addEventListener("input", () => go(Number(at("scrub").value)));
  at("focus").addEventListener("change", choose);
  at("frames").addEventListener("change", choose);
  at("rows").addEventListener("scroll", () => requestAnimationFrame(draw));
  addEventListener("resize", () => { canvas(); draw(); });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    const act = keys[event.key];
    if (!act || (event.target.tagName === "BUTTON" && event.key === " ")) return;
    event.preventDefault();
    act();
  });
  addEventListener("hashchange", toAddress);
  const address = location.hash;
  choose();
  toAddress(null, address);
}

// To the moment that the address names: the first at or behind its step.
function toAddress(_event, address = location.hash) {
  const wanted = address.length > 1 ? Number(address.slice(1)) : NaN;
  if (!Number.isFinite(wanted)) return;
  const index = shown.findIndex((place) => run.moments[place].step >= wanted);
  go(index < 0 ? shown.length - 1 : index);
}

start();
