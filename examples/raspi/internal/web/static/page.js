// Puts what the server tells into the page. Text goes in as text only: labels come from strangers.
import { bars } from "./bars.js";
import { connect } from "./connection.js";
import { curve } from "./curve.js";
import { picture } from "./picture.js";
import { speech } from "./speech.js";
import * as words from "./words.js";

const $ = (id) => document.getElementById(id);
const show = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };

const view = picture($("frame"), $("picture"), $("still"));
const ranks = bars($("bars"));
const latencies = curve($("curve"), $("curve-top"));
const speak = speech($("spoken"));

function showAbout(a) {
  document.title = a.board ? `libresnext · ${a.board}` : "libresnext live";
  show("heading", a.board);
  show("board", a.board || "not known");
  show("source", a.source);
  show("kernels", `${a.kernels}, ${words.count(a.threads, "thread")}`);
  show("model", a.model);
  show("network", `${a.network}, ${words.count(a.classes, "class", "classes")}`);
  show("program", a.program);
}

function showState(s) {
  show("uptime", words.duration(s.uptime_s));
  if (s.top?.length) showAnswer(s.top, s.shown);
  show("latency", words.number(s.total_ms));
  show("fps", words.number(s.fps));
  show("camera-fps", s.camera_fps > 0 ? `of ${words.number(s.camera_fps)}` : "");
  show("frames", `${words.whole(s.frame)} classified, ${words.whole(s.dropped)} skipped` + (s.damaged ? `, ${words.whole(s.damaged)} damaged` : ""));
  showCPU(s.board);
  latencies.add(s.total_ms);
  view.check();
}

// The headline is the class that the program shows, which changes less often than the order of the bars.
function showAnswer(top, shown) {
  const { name, also } = words.label(shown);
  const confidence = words.percent(shown.probability);
  show("label", name);
  $("name").dataset.length = name.length > 24 ? "longest" : name.length > 13 ? "long" : "short";
  show("also", also);
  show("confidence", confidence);
  ranks.show(top, shown.class);
  speak(`${name}, ${confidence}`, name);
}

function showCPU(board) {
  const { temperature, state, text } = words.cpu(board);
  show("temperature", temperature);
  show("throttling", text);
  $("cpu").dataset.state = state;
}

function showLink(state, text) {
  document.body.dataset.link = state;
  show("link", text);
  show("pause", state === "paused" ? "Resume" : "Pause");
}

const connection = connect({
  about: showAbout,
  history: (points) => latencies.begin(points),
  state: showState,
  link: showLink,
  opened: () => view.start(),
  ended: () => view.stop(),
});
$("pause").addEventListener("click", () => connection.toggle());
