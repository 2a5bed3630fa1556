// Turns the drawings of features in three dimensions: drag, arrow keys, or the legend to hide a class.
"use strict";
for (const figure of document.querySelectorAll("figure[data-points]")) {
  const { points, kind, colours } = JSON.parse(figure.dataset.points);
  const canvas = figure.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const hidden = new Set();
  let turn = 0.6, tilt = 0.35, held = null;

  function draw() {
    const side = canvas.clientWidth, scale = window.devicePixelRatio || 1;
    if (!side) return;
    canvas.width = canvas.height = Math.round(side * scale);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, side, side);
    const [ct, st, cp, sp] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
    const seen = [];
    for (let i = 0; i < kind.length; i++) {
      if (hidden.has(kind[i])) continue;
      const x = points[3 * i] / 1000, y = points[3 * i + 1] / 1000, z = points[3 * i + 2] / 1000;
      const across = x * ct - y * st, away = x * st + y * ct;
      seen.push([across, z * cp - away * sp, away * cp + z * sp, kind[i]]);
    }
    seen.sort((a, b) => b[2] - a[2]);
    const half = side / 2, reach = side * 0.36;
    for (const [x, y, depth, k] of seen) {
      const near = 1 / (1 + 0.18 * depth);
      pen.globalAlpha = Math.max(0.35, Math.min(1, 0.75 * near));
      pen.fillStyle = colours[k];
      pen.beginPath();
      pen.arc(half + x * reach * near, half - y * reach * near, 3.2 * near, 0, 2 * Math.PI);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  canvas.addEventListener("pointerdown", (event) => {
    held = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) return;
    turn += (event.clientX - held[0]) / 120;
    tilt = Math.max(-1.5, Math.min(1.5, tilt + (event.clientY - held[1]) / 120));
    held = [event.clientX, event.clientY];
    draw();
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { held = null; });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    if (!step) return;
    event.preventDefault();
    turn += step[0];
    tilt = Math.max(-1.5, Math.min(1.5, tilt + step[1]));
    draw();
  });
  figure.querySelectorAll("button[data-kind]").forEach((button) => {
    button.addEventListener("click", () => {
      const k = Number(button.dataset.kind);
      const show = hidden.delete(k);
      if (!show) hidden.add(k);
      button.setAttribute("aria-pressed", String(show));
      draw();
    });
  });
  // The still picture is there for a page whose script does not run, and gives way to the canvas.
  figure.classList.add("live");
  new ResizeObserver(draw).observe(canvas);
  draw();
}
