// Tells screen readers the answer when it is a new one that stays, and not more often than every few seconds.
const stays = 1000, between = 5000;

export function speech(region) {
  let spoken = "", candidate = "", since = 0, last = -Infinity;

  return (text, key) => {
    const now = performance.now();
    if (key !== candidate) [candidate, since] = [key, now];
    if (key === spoken || now - since < stays || now - last < between) return;
    [spoken, last] = [key, now];
    region.textContent = text;
  };
}
