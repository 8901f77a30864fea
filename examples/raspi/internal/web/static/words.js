// Numbers and states as people say them.
const grouped = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

export const whole = (n) => grouped.format(n ?? 0);
export const count = (n, one, many = one + "s") => `${whole(n)} ${n === 1 ? one : many}`;
export const number = (v) => (Number.isFinite(v) ? v.toFixed(v < 10 ? 1 : 0) : "–");

export function percent(p) {
  const v = 100 * p;
  if (v > 0 && v < 1) return "<1%";
  return `${v < 99.5 ? Math.round(v) : v < 100 ? ">99" : 100}%`;
}

// label parts "kit fox, Vulpes macrotis" into the first name and the others.
export function label(guess) {
  const text = (guess.label ?? "").trim();
  if (!text) return { name: `class ${guess.class}`, also: "" };
  const comma = text.indexOf(",");
  if (comma <= 0) return { name: text, also: "" };
  return { name: text.slice(0, comma).trim(), also: text.slice(comma + 1).trim() };
}

export function duration(s) {
  const minutes = Math.floor(s / 60), hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
  if (minutes < 1) return `${Math.floor(s)} s`;
  if (hours < 1) return `${minutes} min ${Math.floor(s % 60)} s`;
  if (days < 1) return `${hours} h ${minutes % 60} min`;
  return `${count(days, "day")} ${hours % 24} h`;
}

// cpu words the board's state. The firmware of a Raspberry Pi slows down from 80 °C on.
export function cpu({ temperature_c: t, throttled, slowed, throttled_before: before }) {
  const known = Number.isFinite(t);
  const hot = known && t >= 80;
  const held = throttled ?? [];
  const words = [...held];
  if (slowed) words.push("resting to cool down");
  if (!held.length && before?.length) words.push(`earlier: ${before.join(", ")}`);
  if (!words.length) words.push(hot ? "hot" : known ? "not throttled" : "no sensor to read");
  return {
    temperature: known ? `${t.toFixed(0)} °C` : "",
    state: held.length ? "bad" : slowed || hot || before?.length ? "warn" : "ok",
    text: words.join(", "),
  };
}
