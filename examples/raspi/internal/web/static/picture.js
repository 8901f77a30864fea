// The live picture: an <img> whose source never ends. It is opened anew with every connection, because browsers
// keep showing the last picture of a stream that broke.
export function picture(frame, img, canvas) {
  let turn = 0, retry = 0, wanted = false;

  function load() {
    clearTimeout(retry);
    if (wanted) img.src = `stream.mjpg?${++turn}`;
  }

  img.addEventListener("error", () => {
    clearTimeout(retry);
    if (wanted) retry = setTimeout(load, 2000);
  });
  img.addEventListener("load", check);

  // check shows the picture once there is one; not every browser tells by an event.
  function check() {
    if (!wanted || !img.naturalWidth) return;
    frame.style.setProperty("--shape", `${img.naturalWidth} / ${img.naturalHeight}`);
    frame.dataset.shows = "picture";
  }

  // keep puts the last picture in place of the stream, whose connection can then end.
  function keep() {
    if (!img.naturalWidth) return;
    canvas.width = img.naturalWidth;
    canvas.height = img.naturalHeight;
    canvas.getContext("2d").drawImage(img, 0, 0);
    frame.dataset.shows = "still";
  }

  return {
    check,
    start() {
      wanted = true;
      load();
    },
    stop() {
      wanted = false;
      clearTimeout(retry);
      keep();
      img.removeAttribute("src");
    },
  };
}
