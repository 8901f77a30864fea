// Follows the server's events (/events) and comes back by itself: when the server restarts, when the network
// drops without a word, and when the page is looked at again. A page that nobody sees holds no connection.
const slowest = 5000; // between two attempts

// connect calls about, history and state with what the server sends; link(state, text) whenever the connection's
// state changes; opened and ended as it comes and goes. It returns an object whose toggle pauses.
export function connect({ about, history, state, link, opened, ended }) {
  let source = null;
  let watch = 0, retry = 0, delay = 500;
  let silence = 6000; // after three of the server's beats without a word the connection is dead
  let paused = false, seen = false;
  let lastState = 0, shortest = 5000, patience = shortest; // a camera that gives no frame for so long has stopped

  function open() {
    clearTimeout(retry);
    if (source || paused || document.hidden) return;
    link(seen ? "reconnecting" : "connecting", seen ? "Reconnecting…" : "Connecting…");
    source = new EventSource("events");
    heard();
    source.addEventListener("about", (e) => {
      seen = true;
      delay = 500;
      lastState = performance.now();
      link("live", "Live");
      const a = JSON.parse(e.data);
      silence = 3000 * a.beat_s;
      shortest = 2500 * a.beat_s;
      heard();
      about(a);
      opened();
    });
    source.addEventListener("history", (e) => history(JSON.parse(e.data)));
    source.addEventListener("state", (e) => {
      heard();
      const s = JSON.parse(e.data);
      if (s.frame === undefined) return;
      lastState = performance.now();
      patience = Math.max(shortest, 3 * s.total_ms);
      link("live", "Live");
      state(s);
    });
    source.addEventListener("beat", () => {
      heard();
      if (performance.now() - lastState > patience) link("stale", "No new frames");
    });
    source.onerror = again;
  }

  function heard() {
    clearTimeout(watch);
    watch = setTimeout(again, silence);
  }

  function close() {
    clearTimeout(watch);
    clearTimeout(retry);
    source?.close();
    source = null;
    ended();
  }

  // again waits longer each time, and asks why there was no connection: a page that is full says so.
  function again() {
    close();
    link(seen ? "reconnecting" : "connecting", seen ? "Reconnecting…" : "Connecting…");
    retry = setTimeout(open, delay);
    delay = Math.min(2 * delay, slowest);
    fetch("events", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(slowest) })
      .then((r) => { if (!source && !paused && r.status === 503) link("full", "Full; waiting"); })
      .catch(() => {}); // no server: that is what "reconnecting" says
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("online", open);
  addEventListener("pageshow", open);
  addEventListener("pagehide", close);
  open();

  return {
    toggle() {
      paused = !paused;
      if (paused) {
        close();
        link("paused", "Paused");
      } else {
        delay = 500;
        open();
      }
    },
  };
}
