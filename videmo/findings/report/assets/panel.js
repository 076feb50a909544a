"use strict";

const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
const STEPS_S = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

/** One video beside its timeline: what moves one moves the other. */
class Panel {
  constructor(article, page) {
    Object.assign(this, { article, page, video: page.videos[article.id], opened: false });
    article.append(document.getElementById("stage").content.cloneNode(true));
    this.chart = article.querySelector(".chart");
    this.clock = article.querySelector(".now");
    this.timeline = new Timeline(this.chart, this.video, page);
    this.nameParts(article.querySelector("h3").textContent);
    this.addFilm(article.dataset.film);
    this.addTracks();
    this.addChips();
    const many = this.video.tracks.length > 1;
    const who = new Map(this.video.tracks.map((track) => [track.id, track.who]));
    this.addJumps(".segments", this.video.segments, ([name, at_s, to_s]) => ({ at_s, to_s, name }));
    this.addJumps(".moments", this.video.moments, ([label, track, at_s, , to_s, strength]) => {
      const { name, colour } = this.page.labels[label];
      return { at_s, to_s, colour, track, name: `${name} +${strength.toFixed(2)}${many ? `, ${who.get(track) ?? `track ${track}`}` : ""}` };
    });
    this.listenToChart();
  }

  /** Draws the chart and loads the first picture of the video, once. */
  open() {
    if (this.opened) return;
    this.opened = true;
    if (this.player) this.player.preload = "metadata";
    this.timeline.draw();
    this.show(this.timeline.time_s);
  }

  nameParts(title) {
    this.article.querySelector("video").setAttribute("aria-label", `Annotated video of ${title}`);
    this.article.querySelector("select").setAttribute("aria-label", `Track shown in the chart of ${title}`);
    this.chart.setAttribute("aria-label", `Time in ${title}`);
    this.chart.setAttribute("aria-valuemin", this.video.starts_s.toFixed(1));
    this.chart.setAttribute("aria-valuemax", this.video.ends_s.toFixed(1));
  }

  addFilm(film) {
    if (film) {
      this.player = this.article.querySelector("video");
      this.player.src = film;
      this.listenToPlayer();
    } else {
      this.article.querySelector(".film video").remove();
      this.article.querySelector(".film .none").hidden = false;
      this.article.querySelector(".stage").classList.add("alone");
    }
  }

  addTracks() {
    const select = this.article.querySelector("select");
    for (const [at, track] of this.video.tracks.entries()) select.add(new Option(track.name, at));
    select.closest("label").hidden = this.video.tracks.length < 2;
    select.addEventListener("change", () => {
      this.chooseTrack(this.video.tracks[Number(select.value)].id);
    });
    for (const box of this.article.querySelectorAll(".controls input")) {
      box.addEventListener("change", () => {
        this.timeline[box.name] = box.checked;
        this.redraw();
      });
    }
    this.article.querySelector(".reset").addEventListener("click", () => this.timeline.resetZoom());
  }

  /** Shows the track of that id; without one, or where it has no curve, the chart stays. */
  chooseTrack(id) {
    const at = this.video.tracks.findIndex((track) => track.id === id);
    if (at < 0 || this.video.tracks[at] === this.timeline.track) return;
    this.article.querySelector("select").value = String(at);
    this.timeline.track = this.video.tracks[at];
    this.redraw();
  }

  addChips() {
    this.readings = this.page.labels.map(({ name, colour }) => {
      const chip = Object.assign(document.createElement("button"), { type: "button", className: "chip" });
      const reading = document.createElement("output");
      chip.setAttribute("aria-pressed", "true");
      chip.append(swatch(colour), name, reading);
      chip.addEventListener("click", () => this.toggle(chip, name));
      this.article.querySelector(".chips").append(chip);
      return reading;
    });
  }

  toggle(chip, name) {
    const hide = chip.getAttribute("aria-pressed") === "true";
    chip.setAttribute("aria-pressed", String(!hide));
    this.timeline.hidden[hide ? "add" : "delete"](name);
    this.redraw();
  }

  addJumps(where, { rows, more }, read) {
    const box = this.article.querySelector(where);
    const list = box.querySelector("ol");
    box.hidden = !rows.length;
    for (const [at, { at_s, to_s, name, colour, track }] of rows.map(read).entries()) {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      button.append(part("number", at + 1), part("time", `${spellClock(at_s)} – ${spellClock(to_s)}`), ...(colour ? [swatch(colour)] : []), part("name", name));
      button.addEventListener("click", () => {
        this.chooseTrack(track);
        this.seek(at_s);
      });
      list.appendChild(document.createElement("li")).append(button);
    }
    if (more) list.appendChild(document.createElement("li")).append(`and ${more} more in the file`);
  }

  listenToChart() {
    let pressedX = null;
    // Plotly covers the page while the mouse is down: the release is heard by the window only.
    this.chart.addEventListener("pointerdown", (event) => (pressedX = event.button === 0 ? event.clientX : null), true);
    window.addEventListener("pointerup", (event) => {
      if (pressedX !== null && Math.abs(event.clientX - pressedX) < 4) this.seek(this.timeline.timeAt(event.clientX));
      pressedX = null;
    }, true);
    // A finger that pans the page ends so, without a release.
    window.addEventListener("pointercancel", () => (pressedX = null), true);
    this.chart.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { starts_s, ends_s } = this.video;
    const actions = {
      Home: () => this.seek(starts_s),
      End: () => this.seek(ends_s),
      " ": () => this.player && (this.player.paused ? this.player.play() : this.player.pause()),
      Escape: () => {
        this.player?.pause();
        this.timeline.resetZoom();
      },
    };
    const step_s = STEPS_S[event.key];
    const action = step_s ? () => this.seek(this.timeline.time_s + step_s * (event.shiftKey ? 0.1 : 1)) : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  listenToPlayer() {
    const follow = () => this.show(this.player.currentTime + this.video.starts_s);
    const run = () => {
      follow();
      if (!this.player.paused && !CALM.matches) requestAnimationFrame(run);
    };
    for (const event of ["timeupdate", "seeking", "seeked", "pause"]) this.player.addEventListener(event, follow);
    this.player.addEventListener("play", run);
    this.player.addEventListener("error", () => (this.article.querySelector(".film .lost").hidden = false));
  }

  /** Moves video and cursor to a time. */
  seek(time_s) {
    this.open();
    const inside_s = Math.min(Math.max(time_s, this.video.starts_s), this.video.ends_s);
    if (this.player) this.player.currentTime = inside_s - this.video.starts_s;
    this.show(inside_s);
  }

  /** Shows a time in the chart, the clock and the readings; the video is left alone. */
  show(time_s) {
    this.timeline.moveCursor(time_s);
    this.clock.textContent = spellClock(time_s);
    this.chart.setAttribute("aria-valuenow", time_s.toFixed(1));
    this.chart.setAttribute("aria-valuetext", spellClock(time_s));
    this.timeline.readAt(time_s).forEach((text, label) => (this.readings[label].textContent = text));
  }

  redraw() {
    this.timeline.draw();
    this.show(this.timeline.time_s);
  }
}

function part(kind, text) {
  return Object.assign(document.createElement("span"), { className: kind, textContent: text });
}

function swatch(colour) {
  const square = part("swatch", "");
  square.style.backgroundColor = colour;
  return square;
}
