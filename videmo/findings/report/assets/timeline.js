"use strict";

/** Returns a base64 column as numbers. */
function unpack(text, Numbers) {
  return new Numbers(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

/** Returns seconds as m:ss.s or h:mm:ss, as the tables of the page write them. */
function spellClock(seconds) {
  const tenths = Math.round(Math.abs(seconds) * 10);
  const sign = seconds < 0 && tenths ? "−" : "";
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  const minutes = Math.floor(tenths / 600);
  if (minutes < 60) return `${sign}${minutes}:${rest}`;
  return `${sign}${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest.slice(0, 2)}`;
}

/** Returns a text that Plotly draws as it is: it takes some of HTML for its own, links among it. */
function spellInChart(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** Returns what every chart has in common, in the colours of the page as they are now. */
function chartLook(host) {
  const ink = getComputedStyle(host).color;
  const pale = (alpha) => ink.replace("rgb(", "rgba(").replace(")", `, ${alpha})`);
  const paper = getComputedStyle(document.body).backgroundColor;
  const axis = { gridcolor: pale(0.12), linecolor: pale(0.3), zeroline: false, tickfont: { size: 12 } };
  return {
    pale,
    axis,
    layout: {
      ...paperSize(host),
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(host).fontFamily, color: ink, size: 13 },
      hoverlabel: { bgcolor: paper, bordercolor: pale(0.3), font: { color: ink } },
    },
  };
}

/** Returns the size of a chart on paper, nothing on the screen, where it follows the window. */
function paperSize(host) {
  return document.documentElement.matches(".printing") ? { width: host.clientWidth, height: host.clientHeight } : {};
}

const CHART_CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false };
const COARSE = window.matchMedia("(pointer: coarse)");

/** The chart of one video: draws a track, moves the cursor, knows the time of a pixel and the values at a time. */
class Timeline {
  constructor(host, video, page) {
    Object.assign(this, { host, video, page, hidden: new Set(), raw: true, smoothed: true });
    this.epochs = unpack(video.epochs, Uint32Array);
    this.values = { raw: video.raw.map((t) => unpack(t, Uint16Array)), smoothed: video.smoothed.map((t) => unpack(t, Uint16Array)) };
    this.track = video.tracks[0] ?? { id: 0, first: 0, rows: 0 };
    this.plot = host.appendChild(document.createElement("div"));
    this.plot.className = "plot";
    this.cursor = host.appendChild(document.createElement("div"));
    this.cursor.className = "cursor";
    this.time_s = video.starts_s;
  }

  draw() {
    Plotly.react(this.plot, this.traces(), this.layout(), CHART_CONFIG);
    if (!this.listening) {
      this.plot.on("plotly_afterplot", () => this.moveCursor(this.time_s));
      this.plot.on("plotly_relayouting", () => this.moveCursor(this.time_s));
      this.listening = true;
    }
    this.moveCursor(this.time_s);
  }

  traces() {
    const kinds = ["raw", "smoothed"].filter((kind) => this[kind]);
    const faint = kinds.length === 2;
    const lines = kinds.flatMap((kind) =>
      this.page.labels.map(({ name, colour }, label) => ({
        ...this.points(this.values[kind][label]),
        name: spellInChart(kind === "raw" ? `${name}, raw` : name),
        mode: "lines",
        visible: !this.hidden.has(name),
        opacity: kind === "raw" && faint ? 0.35 : 1,
        line: { color: colour, width: kind === "raw" ? 1 : 2.2 },
        hoverinfo: kind === "raw" && faint ? "skip" : "all",
        hovertemplate: `%{y:.2f}<extra>${spellInChart(kind === "raw" ? `${name}, raw` : name)}</extra>`,
      })),
    );
    return [...lines, ...lines.flatMap((line) => this.dots(line)), this.marks()];
  }

  /** Returns dots at the epochs of a line that are alone between two gaps: it needs two points to be seen. */
  dots({ x, y, name, visible, opacity, line }) {
    const missing = (at) => (y[at] ?? null) === null;
    const lone = y.flatMap((_, at) => (!missing(at) && missing(at - 1) && missing(at + 1) ? [at] : []));
    if (!lone.length) return [];
    const marker = { color: line.color, size: line.width + 3 };
    return [{ x: lone.map((at) => x[at]), y: lone.map((at) => y[at]), name, mode: "markers", visible, opacity, marker, hoverinfo: "skip" }];
  }

  /** Returns x (middle of each epoch) and y of the track, with a break wherever an epoch has no value. */
  points(column) {
    const { first, rows } = this.track;
    const x = [];
    const y = [];
    for (let row = first; row < first + rows; row++) {
      if (row > first && this.epochs[row] > this.epochs[row - 1] + 1) {
        x.push(null);
        y.push(null);
      }
      x.push((this.epochs[row] + 0.5) * this.page.epoch_s);
      y.push(column[row] === this.page.missing ? null : column[row] / this.page.scale);
    }
    return { x, y };
  }

  /** Returns the peaks of the moments of this track, as triangles above the curves. */
  marks() {
    const shown = this.video.moments.rows.map(([label, track, , peak_s], at) => ({ label, track, peak_s, number: at + 1 }));
    const mine = shown.filter(({ track }) => track === this.track.id);
    return {
      x: mine.map(({ peak_s }) => peak_s),
      y: mine.map(() => 1.06),
      mode: "markers",
      name: "moment",
      marker: { symbol: "triangle-down", size: 10, color: mine.map(({ label }) => this.page.labels[label].colour) },
      hovertemplate: mine.map(({ number }) => `moment ${number}<extra></extra>`),
    };
  }

  layout() {
    const { layout, axis, pale } = chartLook(this.host);
    const { starts_s, ends_s } = this.video;
    return {
      ...layout,
      margin: { l: 34, r: 8, t: 22, b: 34 },
      showlegend: false,
      hovermode: "x unified",
      dragmode: COARSE.matches ? false : "zoom",
      uirevision: "zoom",
      xaxis: { ...axis, range: [starts_s, ends_s], ticksuffix: " s", hoverformat: ".1f" },
      yaxis: { ...axis, range: [-0.02, 1.12], tickvals: [0, 0.25, 0.5, 0.75, 1], ticktext: ["0", "", "0.5", "", "1"], fixedrange: true },
      shapes: [...this.spans(pale), ...this.start(pale)],
      annotations: this.track.rows ? [] : [{ text: "no usable face", showarrow: false, x: 0.5, y: 0.5, xref: "paper", yref: "paper" }],
    };
  }

  spans(pale) {
    return this.video.segments.rows.map(([, x0, x1], at) => ({
      type: "rect", layer: "below", yref: "paper", x0, x1, y0: 0, y1: 1, fillcolor: pale(at % 2 ? 0.03 : 0.07),
      line: { width: 1, color: pale(0.16) },
      label: { text: String(at + 1), textposition: "top left", font: { size: 11, color: pale(0.7) } },
    }));
  }

  start(pale) {
    const at = this.video.stimulus_s;
    const line = { color: pale(0.6), width: 1, dash: "dot" };
    return at === null ? [] : [{ type: "line", yref: "paper", x0: at, x1: at, y0: 0, y1: 1, line }];
  }

  /** Returns the time under a pixel of the window, s. */
  timeAt(clientX) {
    const axis = this.plot._fullLayout.xaxis;
    return axis.p2l(clientX - this.plot.getBoundingClientRect().left - axis._offset);
  }

  moveCursor(time_s) {
    this.time_s = time_s;
    const { xaxis, yaxis } = this.plot._fullLayout;
    const x = xaxis.l2p(time_s);
    this.cursor.hidden = x < -1 || x > xaxis._length + 1;
    this.cursor.style.transform = `translateX(${xaxis._offset + x}px)`;
    this.cursor.style.top = `${yaxis._offset}px`;
    this.cursor.style.height = `${yaxis._length}px`;
  }

  resetZoom() {
    Plotly.relayout(this.plot, { "xaxis.range": [this.video.starts_s, this.video.ends_s] });
  }

  /** Returns the row of the track whose epoch holds a time, -1 where none does. */
  rowAt(time_s) {
    const epoch = Math.floor(time_s / this.page.epoch_s + 1e-6);
    let [low, high] = [this.track.first, this.track.first + this.track.rows];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.epochs[middle] < epoch) low = middle + 1;
      else high = middle;
    }
    return low < this.track.first + this.track.rows && this.epochs[low] === epoch ? low : -1;
  }

  /** Returns the value of each label at a time as text, smoothed where smoothed is shown. */
  readAt(time_s) {
    const row = this.rowAt(time_s);
    const columns = this.smoothed ? this.values.smoothed : this.values.raw;
    return columns.map((column) => (row < 0 || column[row] === this.page.missing ? "–" : (column[row] / this.page.scale).toFixed(2)));
  }
}
