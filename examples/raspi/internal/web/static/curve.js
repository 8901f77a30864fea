// The latency of the last minute as a curve: 10 units of the drawing are a second, its height is `top` ms.
const span = 60;

export function curve(svg, topText) {
  let points = []; // [seconds on this page's clock, milliseconds]
  const [area, line] = svg.querySelectorAll("path");
  const now = () => performance.now() / 1000;
  let described = -Infinity;

  function draw() {
    const t = now();
    points = points.filter(([at]) => t - at <= span);
    const top = round(Math.max(1, ...points.map(([, ms]) => ms)) * 1.1);
    const runs = unbroken(points).map((run) => run.map(([at, ms]) => `${(600 - (t - at) * 10).toFixed(1)} ${(100 - (ms / top) * 100).toFixed(1)}`));
    line.setAttribute("d", runs.map((run) => "M" + run.join("L")).join(""));
    area.setAttribute("d", runs.map((run) => `M${x(run[0])} 100L${run.join("L")}L${x(run.at(-1))} 100Z`).join(""));
    topText.textContent = `${top} ms`;
    describe(t);
  }

  // describe tells those who do not see the curve, but not ten times a second.
  function describe(t) {
    if (t - described < 5 || !points.length) return;
    described = t;
    const ms = points.map((p) => p[1]);
    svg.setAttribute("aria-label", `Latency over the last minute: ${Math.round(Math.min(...ms))} to ${Math.round(Math.max(...ms))} milliseconds`);
  }

  return {
    begin(history) {
      points = history.map(([ago, ms]) => [now() - ago, ms]);
      draw();
    },
    add(ms) {
      points.push([now(), ms]);
      draw();
    },
  };
}

const x = (point) => point.split(" ")[0];

// unbroken splits where nothing came for a while, so that no line is drawn over a gap.
function unbroken(points) {
  const runs = [];
  points.forEach((p, i) => {
    const gap = i === 0 || p[0] - points[i - 1][0] > 3 + (3 * p[1]) / 1000;
    gap ? runs.push([p]) : runs.at(-1).push(p);
  });
  return runs;
}

// round gives the next of 1, 1.5, 2, 3, 5, 7.5 or 10 times a power of ten.
function round(v) {
  const power = 10 ** Math.floor(Math.log10(v));
  return [1, 1.5, 2, 3, 5, 7.5, 10].map((m) => m * power).find((m) => m >= v);
}
