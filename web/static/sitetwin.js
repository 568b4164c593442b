// <script src="https://your-gateway/sitetwin.js" defer></script> and <site-twin></site-twin> on any page.
// Attributes: heading, position ("left" or "right"), theme ("light" or "dark"), open. Methods: show(), hide(), ask(text).
// While the chat is open, the element has the attribute data-open, so that a page can make room for it.
// Everything that comes from the server is inserted as text, never as HTML.
(() => {
  'use strict';
  if (customElements.get('site-twin')) return;

  const script = document.currentScript || document.querySelector('script[src*="sitetwin.js"]');
  const BASE = new URL('.', script ? script.src : location.href).href;
  const STORE = 'sitetwin ' + BASE;
  const WORDS = { en: [] }; // the gateway fills in web/words: a list for each language, in the order of the English ones
  const KEPT_MESSAGES = 60;
  const SENT_TURNS = 12;

  const CSS = `
:host { all: initial; color-scheme: light dark; position: fixed; z-index: 2147483000; inset-block-end: 0; inset-inline-end: 0;
  --a: var(--sitetwin-accent, light-dark(#3451d1, #8ea2ff)); --on-a: var(--sitetwin-on-accent, light-dark(#fff, #10142b));
  --bg: light-dark(#fff, #16181d); --soft: light-dark(#f3f4f7, #22252c); --line: light-dark(#e1e3e9, #33373f);
  --fg: light-dark(#1b1e26, #e9ebf0); --mute: light-dark(#5b6070, #a3a8b5); --bad: light-dark(#a3241c, #ff9d94);
  font: 400 16px/1.5 var(--sitetwin-font, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif); color: var(--fg); text-align: start }
:host([theme=light]) { color-scheme: light } :host([theme=dark]) { color-scheme: dark }
:host([position=left]) { inset-inline: 0 auto }
:host([hidden]), [hidden] { display: none !important }
*, *::before { box-sizing: border-box }
button, textarea { font: inherit; color: inherit; margin: 0 }
button { cursor: pointer; border: 0; background: none; padding: 0 }
:focus-visible { outline: 2px solid var(--a); outline-offset: 2px }
svg { display: block; width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round }
.launch { position: absolute; inset-block-end: calc(20px + env(safe-area-inset-bottom)); inset-inline-end: 20px; width: 56px; height: 56px;
  border-radius: 50%; background: var(--a); color: var(--on-a); display: grid; place-items: center; box-shadow: 0 6px 24px #0004; transition: transform .15s }
.launch:hover { transform: scale(1.06) } .launch svg { width: 26px; height: 26px }
:host([position=left]) .launch, :host([position=left]) .panel { inset-inline: 20px auto }
.panel { position: absolute; inset-block-end: 20px; inset-inline-end: 20px; width: 400px; height: min(660px, calc(100dvh - 40px));
  background: var(--bg); border: 1px solid var(--line); border-radius: 18px; box-shadow: 0 16px 56px #0005; display: flex; flex-direction: column;
  overflow: hidden; animation: rise .18s ease-out; outline: 0 }
@keyframes rise { from { opacity: 0; transform: translateY(12px) } }
header { display: flex; align-items: center; gap: 4px; padding: 12px 12px 12px 18px; border-block-end: 1px solid var(--line) }
:host(:dir(rtl)) header { padding: 12px 18px 12px 12px }
h2 { font-size: 16px; font-weight: 650; margin: 0; flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.icon { width: 36px; height: 36px; border-radius: 10px; display: grid; place-items: center; color: var(--mute); flex: none }
.icon:hover { background: var(--soft); color: var(--fg) }
.log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 18px; display: flex; flex-direction: column; gap: 16px; scroll-behavior: auto }
.hello { display: flex; flex-direction: column; gap: 8px; margin-block: auto 0 }
.hello p { margin: 0 0 6px; color: var(--mute) } .hello p b { display: block; color: var(--fg); font-size: 20px; font-weight: 650; line-height: 1.3; margin-block-end: 4px }
.ask { text-align: start; padding: 10px 14px; border: 1px solid var(--line); border-radius: 12px; font-size: 15px; line-height: 1.4 }
.ask:hover { background: var(--soft); border-color: var(--a) }
.me { align-self: flex-end; max-width: 85%; background: var(--a); color: var(--on-a); padding: 9px 14px; border-radius: 16px; border-end-end-radius: 5px;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: 15px }
.it { overflow-wrap: anywhere; font-size: 15px; line-height: 1.55; min-width: 0 }
.it > .text > :first-child { margin-block-start: 0 } .it > .text > :last-child { margin-block-end: 0 }
.text p, .text ul, .text ol, .text pre, .text blockquote { margin: 0 0 10px } .text ul, .text ol { padding-inline-start: 22px } .text li { margin-block: 3px } .text li > p { margin: 0 }
blockquote { padding-inline-start: 12px; border-inline-start: 3px solid var(--a); color: var(--fg) } blockquote > :last-child { margin: 0 !important }
code { font: .88em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: var(--soft); padding: 1px 5px; border-radius: 5px }
pre { background: var(--soft); padding: 10px 12px; border-radius: 10px; overflow-x: auto; direction: ltr; text-align: left } pre code { padding: 0; background: none }
a { color: var(--a); text-underline-offset: 2px }
.n { font-size: 11.5px; font-weight: 650; line-height: 1; text-decoration: none; padding: 2px 5px; margin-inline: 1px; border-radius: 6px; background: color-mix(in srgb, var(--a) 14%, transparent); color: var(--a); vertical-align: 1px; display: inline-block }
a.n:hover { background: var(--a); color: var(--on-a) }
.dots { display: inline-flex; gap: 4px; padding-block: 8px } .dots i { width: 7px; height: 7px; border-radius: 50%; background: var(--mute); animation: pulse 1.2s infinite } .dots i:nth-child(2) { animation-delay: .15s } .dots i:nth-child(3) { animation-delay: .3s }
@keyframes pulse { 0%, 60%, 100% { opacity: .25 } 30% { opacity: 1 } }
.sources { margin-block-start: 12px; border: 1px solid var(--line); border-radius: 12px; overflow: hidden; font-size: 13.5px }
.sources h3 { margin: 0; padding: 8px 12px 2px; font-size: 12px; font-weight: 650; color: var(--mute) }
.sources ol { list-style: none; margin: 0; padding: 0 0 4px } .sources li { padding: 6px 12px; display: grid; grid-template-columns: auto 1fr; gap: 1px 8px }
.sources li a, .sources li b { font-weight: 550; line-height: 1.4 } .sources .n { align-self: start; margin-block-start: 2px }
.quote { grid-column: 2; color: var(--mute); line-height: 1.45; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden }
.sources li:hover .quote, .sources li:focus-within .quote { -webkit-line-clamp: 8 }
.acts { display: flex; gap: 6px; margin-block-start: 6px; color: var(--mute); font-size: 13px; align-items: center }
.acts button { padding: 4px 8px; border-radius: 8px; display: flex; gap: 6px; align-items: center } .acts button:hover { background: var(--soft); color: var(--fg) } .acts svg { width: 15px; height: 15px }
.error { color: var(--bad) }
.wait { display: flex; gap: 10px; align-items: center; padding: 9px 18px; background: var(--soft); font-size: 13.5px; color: var(--mute) }
.wait::before { content: ""; flex: none; width: 14px; height: 14px; border-radius: 50%; border: 2px solid var(--line); border-block-start-color: var(--a); animation: turn .9s linear infinite }
.wait.off::before { display: none }
@keyframes turn { to { rotate: 360deg } }
form { display: flex; align-items: flex-end; gap: 8px; margin: 0 12px; padding: 6px 6px 6px 14px; border: 1px solid var(--line); border-radius: 16px; background: var(--bg) }
:host(:dir(rtl)) form { padding: 6px 14px 6px 6px }
form:focus-within { border-color: var(--a); box-shadow: 0 0 0 3px color-mix(in srgb, var(--a) 18%, transparent) }
textarea { flex: 1; min-width: 0; resize: none; border: 0; outline: 0; background: none; font-size: 16px; line-height: 24px; padding: 6px 0; height: 36px; max-height: 132px }
textarea:focus-visible { outline: 0 } textarea::placeholder { color: var(--mute); opacity: 1 }
.send { width: 36px; height: 36px; border-radius: 11px; background: var(--a); color: var(--on-a); display: grid; place-items: center; flex: none } .send[title=Stop] svg { fill: currentColor } .send:disabled { background: var(--soft); color: var(--mute); cursor: default }
.foot { margin: 0; padding: 7px 18px calc(10px + env(safe-area-inset-bottom)); font-size: 12px; color: var(--mute); text-align: center }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
@media (max-width: 520px), (max-height: 480px) {
  .panel, :host([position=left]) .panel { position: fixed; inset: var(--top, 0) 0 auto 0; width: 100%; height: var(--height, 100dvh); border: 0; border-radius: 0;
    padding-inline: env(safe-area-inset-left) env(safe-area-inset-right) }
  header { padding-block-start: calc(12px + env(safe-area-inset-top)) } .icon { width: 44px; height: 44px } .it, .me, .ask { font-size: 16px }
}
@media (prefers-reduced-motion: reduce) { *, *::before { animation-duration: 0s !important; animation-iteration-count: 1 !important; transition: none !important } .dots i { opacity: .6 } }
`;

  const ICONS = {
    chat: 'M21 12a8 8 0 0 1-8 8H4l1.8-3.2A8 8 0 1 1 21 12Z M9 12h.01 M13 12h.01 M17 12h.01',
    close: 'M6 6l12 12 M18 6 6 18',
    fresh: 'M12 20h8 M4 20l1-4L16.5 4.5a2 2 0 0 1 3 3L8 19Z',
    send: 'M12 19V5 M6 11l6-6 6 6',
    stop: 'M7 7h10v10H7Z',
    copy: 'M9 9h11v11H9Z M5 15H4V4h11v1',
    done: 'M5 12l5 5L19 7',
    again: 'M4 12a8 8 0 1 0 2.5-5.8L4 8.5 M4 4v4.5h4.5',
  };

  const el = (tag, props = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(props)) {
      if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
      else if (key in node && typeof value !== 'string') node[key] = value;
      else node.setAttribute(key === 'className' ? 'class' : key, value);
    }
    node.append(...children);
    return node;
  };
  const icon = (name) => {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', ICONS[name]);
    svg.append(path);
    return svg;
  };

  let words = [];
  /** The chat's own words `english` in the language of the page, with `parts` in the place of each {}. */
  const t = (english, ...parts) => (words[WORDS.en.indexOf(english)] || english).replace(/\{\}/g, () => parts.shift());
  /** The language of the page around `node`, else of the browser, that there are words in. */
  const languageAround = (node) => {
    const named = [node.closest('[lang]')?.lang || document.documentElement.lang, ...(navigator.languages || [])];
    const codes = named.filter(Boolean).map((one) => one.toLowerCase().split('-')[0]);
    return codes.find((one) => one in WORDS) || 'en';
  };

  /** The address if it is http(s) or a path, else ''. */
  const safeUrl = (address) => {
    try {
      const url = new URL(address, BASE);
      return /^https?:$/.test(url.protocol) ? url.href : '';
    } catch { return ''; }
  };
  const link = (address, props, ...children) => {
    const href = safeUrl(address);
    if (!href) return el('span', props, ...children);
    const away = new URL(href).origin === location.origin ? {} : { target: '_blank', rel: 'noopener noreferrer' };
    return el('a', { href, ...props, ...away }, ...children);
  };
  const plain = (quote) => quote.replace(/```\w*\s?|[`*]/g, '').trim();
  const where = (source) => [source.title, source.heading.replaceAll(' > ', ' › ')].filter(Boolean).join(' › ');

  // ---- Markdown to nodes -------------------------------------------------------------------------
  const INLINE = /(`+)([\s\S]+?)\1(?!`)|\*\*(\S(?:[\s\S]*?\S)?)\*\*|(?<![\w*])[*_](\S(?:[^*_]*?\S)?)[*_](?![\w*])|\[([^\]\[]+)\]\(([^()\s]+(?:\([^()\s]*\))?)\)|\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\]|(https?:\/\/[^\s<>"'`)\]]*[^\s<>"'`)\].,;:!?])/g;

  const inline = (text, sources) => {
    const nodes = [];
    let from = 0;
    for (const hit of text.matchAll(INLINE)) {
      nodes.push(text.slice(from, hit.index));
      from = hit.index + hit[0].length;
      const [, , code, bold, slant, label, address, marks, bare] = hit;
      if (code !== undefined) nodes.push(el('code', {}, code.trim() || code));
      else if (bold !== undefined) nodes.push(el('strong', {}, ...inline(bold, sources)));
      else if (slant !== undefined) nodes.push(el('em', {}, ...inline(slant, sources)));
      else if (label !== undefined) nodes.push(link(address, {}, label));
      else if (bare !== undefined) nodes.push(link(bare, {}, bare));
      else for (const n of marks.split(',')) nodes.push(mark(Number(n), sources));
    }
    nodes.push(text.slice(from));
    return nodes.filter((node) => node !== '');
  };
  const mark = (n, sources) => {
    const source = (sources || []).find((one) => one.n === n);
    if (!source) return el('span', { className: 'n' }, String(n));
    return link(source.url, { className: 'n', title: plain(source.quote) || where(source), 'aria-label': t('Source {}: {}', n, where(source)) }, String(n));
  };

  const ITEM = /^(\s*)(?:[-*+•]|(\d{1,9})[.)])\s+/;
  const blocks = (lines, sources) => {
    const nodes = [];
    for (let at = 0; at < lines.length;) {
      const line = lines[at];
      const fence = line.match(/^\s*(```+|~~~+)/);
      const item = line.match(ITEM);
      if (!line.trim()) at++;
      else if (fence) {
        const body = [];
        for (at++; at < lines.length && !lines[at].trim().startsWith(fence[1]); at++) body.push(lines[at]);
        at++;
        nodes.push(el('pre', { tabindex: '0' }, el('code', {}, body.join('\n'))));
      } else if (/^\s*>/.test(line)) {
        const body = [];
        for (; at < lines.length && /^\s*>/.test(lines[at]); at++) body.push(lines[at].replace(/^\s*> ?/, ''));
        nodes.push(el('blockquote', {}, ...blocks(body, sources)));
      } else if (item) {
        const list = el(item[2] ? 'ol' : 'ul', item[2] ? { start: item[2] } : {});
        while (at < lines.length) {
          const next = lines[at].match(ITEM);
          if (!next || next[1].length > item[1].length + 1 || Boolean(next[2]) !== Boolean(item[2])) break;
          const body = [lines[at].slice(next[0].length)];
          for (at++; at < lines.length && /^\s{2,}\S/.test(lines[at]) && (lines[at].match(ITEM)?.[1].length ?? 9) > item[1].length + 1; at++) body.push(lines[at].slice(2));
          list.append(el('li', {}, ...blocks(body, sources)));
          while (at + 1 < lines.length && !lines[at].trim() && ITEM.test(lines[at + 1])) at++;
        }
        nodes.push(list);
      } else {
        const body = [line.replace(/^#{1,6}\s+(.*?)\s*#*$/, '**$1**')];
        for (at++; at < lines.length && lines[at].trim() && !/^\s*(>|```|~~~|#{1,6}\s)/.test(lines[at]) && !ITEM.test(lines[at]); at++) body.push(lines[at]);
        nodes.push(el('p', {}, ...inline(body.join('\n'), sources)));
      }
    }
    return nodes;
  };
  const markdown = (text, sources) => blocks(text.replaceAll('\r', '').split('\n'), sources);

  // ---- the server ----------------------------------------------------------------------------------
  /** Yields the server-sent events of a response as {event, data}. */
  async function* events(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value.replaceAll('\r', '')).split('\n\n');
      rest = parts.pop();
      for (const part of parts) {
        const fields = {};
        for (const line of part.split('\n')) {
          const colon = line.indexOf(':');
          if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
        }
        if (fields.data) yield { event: fields.event, data: JSON.parse(fields.data) };
      }
    }
  }
  const pause = (seconds, signal) => new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });

  class SiteTwin extends HTMLElement {
    /** What other pages of the gateway share with the chat. */
    static kit = { el, events, link, markdown, pause, plain, where };
    #state = { session: '', messages: [], open: false };
    #info = null;
    #running = null; // AbortController of the running answer
    #polling = false;
    #parts = {};

    connectedCallback() {
      if (this.shadowRoot) return;
      try {
        Object.assign(this.#state, JSON.parse(sessionStorage.getItem(STORE) || '{}'));
      } catch { /* storage is blocked or foreign: the chat lives as long as the page */ }
      for (const one of this.#state.messages) if (one.state === 'wait' || one.state === 'stream') one.state = 'stopped';
      const language = languageAround(this);
      words = WORDS[language];
      this.#build(language);
      this.#draw();
      if (this.hasAttribute('open') || this.#state.open) this.show({ focus: false });
      addEventListener('pagehide', () => this.#save());
    }

    disconnectedCallback() { this.#running?.abort(); }

    show({ focus = true } = {}) {
      const { panel, launch } = this.#parts;
      launch.hidden = true;
      panel.hidden = false;
      this.toggleAttribute('data-open', this.#state.open = true);
      this.#save();
      this.#fit();
      this.#scroll(true);
      if (focus) this.#focus();
      this.#learn();
    }

    hide({ focus = true } = {}) {
      const { panel, launch } = this.#parts;
      panel.hidden = true;
      launch.hidden = false;
      this.toggleAttribute('data-open', this.#state.open = false);
      this.#save();
      if (focus) launch.focus();
    }

    async ask(question) {
      question = String(question || '').trim();
      if (!question || this.#running) return;
      if (this.#parts.panel.hidden) this.show();
      this.#state.messages.push({ role: 'user', text: question }, { role: 'assistant', text: '', state: 'wait' });
      this.#draw();
      this.#scroll(true);
      await this.#answer();
    }

    #build(language) {
      const parts = this.#parts;
      const heading = this.getAttribute('heading') || t('Ask this site');
      const button = (name, label, onclick, className = 'icon') => el('button', { type: 'button', className, title: label, 'aria-label': label, onclick }, icon(name));
      parts.launch = button('chat', t('Open the chat'), () => this.show(), 'launch');
      parts.launch.setAttribute('aria-haspopup', 'dialog');
      parts.heading = el('h2', { id: 'h' }, heading);
      parts.fresh = button('fresh', t('New chat'), () => this.#fresh());
      parts.log = el('div', { className: 'log', role: 'log', 'aria-live': 'off', 'aria-label': t('Conversation'), tabindex: '0' });
      parts.wait = el('div', { className: 'wait', role: 'status', hidden: true });
      parts.said = el('div', { className: 'sr', role: 'status', 'aria-live': 'polite' });
      parts.input = el('textarea', { rows: 1, placeholder: t('Ask a question…'), 'aria-label': t('Your question'), enterkeyhint: 'send', autocomplete: 'off', dir: 'auto', oninput: () => this.#typed(), onkeydown: (event) => {
        if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.#submit(); }
      } });
      parts.send = el('button', { type: 'submit', className: 'send' });
      parts.form = el('form', { onsubmit: (event) => { event.preventDefault(); this.#submit(); } }, parts.input, parts.send);
      parts.foot = el('p', { className: 'foot' }, t('Answers come from this site’s pages. The sources tell.'));
      parts.panel = el('section', { className: 'panel', lang: language, role: 'dialog', 'aria-labelledby': 'h', tabindex: '-1', hidden: true, onkeydown: (event) => this.#key(event) },
        el('header', {}, parts.heading, parts.fresh, button('close', t('Close the chat'), () => this.hide())),
        parts.log, parts.said, parts.wait, parts.form, parts.foot);
      // not on the panel, whose place follows the direction of the page around it
      for (const part of parts.panel.children) part.dir = language === 'ar' ? 'rtl' : 'ltr';
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      const root = this.attachShadow({ mode: 'open' });
      root.adoptedStyleSheets = [sheet];
      root.append(parts.launch, parts.panel);
      this.#typed();
      // A phone's keyboard covers a fixed sheet that does not follow the visual viewport.
      visualViewport?.addEventListener('resize', () => this.#fit());
      visualViewport?.addEventListener('scroll', () => this.#fit());
    }

    /** Moves the focus into the chat. On a touch screen the field gets no focus: its keyboard would hide the rest. */
    #focus() {
      const { panel, input } = this.#parts;
      (matchMedia('(pointer: coarse)').matches ? panel : input).focus({ preventScroll: true });
    }

    get #sheet() { return matchMedia('(max-width: 520px), (max-height: 480px)').matches; }

    #fit() {
      const { panel } = this.#parts;
      panel.setAttribute('aria-modal', String(this.#sheet));
      if (!visualViewport || visualViewport.scale > 1.01) return;
      panel.style.setProperty('--height', visualViewport.height + 'px');
      panel.style.setProperty('--top', visualViewport.offsetTop + 'px');
    }

    #key(event) {
      if (event.key === 'Escape') { event.stopPropagation(); this.hide(); }
      if (event.key !== 'Tab' || !this.#sheet) return;
      const all = [...this.#parts.panel.querySelectorAll('button:not(:disabled), textarea, a[href], [tabindex="0"]')].filter((one) => one.offsetParent);
      const now = this.shadowRoot.activeElement;
      const edge = event.shiftKey ? all[0] : all.at(-1);
      if (now === edge || now === this.#parts.panel && event.shiftKey) {
        event.preventDefault();
        (event.shiftKey ? all.at(-1) : all[0]).focus();
      }
    }

    #typed() {
      const { input, send } = this.#parts;
      input.style.height = 'auto';
      input.style.height = Math.min(Math.max(input.scrollHeight, 36), 132) + 'px';
      const label = this.#running ? t('Stop') : t('Send');
      send.replaceChildren(icon(this.#running ? 'stop' : 'send'));
      send.setAttribute('aria-label', label);
      send.title = label;
      send.disabled = !this.#running && !input.value.trim();
    }

    #submit() {
      const { input } = this.#parts;
      if (this.#running) return this.#running.abort('stopped');
      const question = input.value.trim();
      if (!question) return;
      input.value = '';
      this.#typed();
      this.ask(question);
      input.focus();
    }

    #fresh() {
      this.#running?.abort('cleared');
      this.#state.messages = [];
      this.#state.session = '';
      this.#save();
      this.#draw();
      this.#focus();
    }

    #save() {
      const messages = this.#state.messages.slice(-KEPT_MESSAGES);
      try {
        sessionStorage.setItem(STORE, JSON.stringify({ ...this.#state, messages }));
      } catch { /* as when reading: nothing is lost but the memory of it */ }
    }

    /** Fetches the name, the suggestions and the state of the assistant. Asks again until it is ready. */
    async #learn() {
      if (this.#polling || this.#info?.ready) return;
      this.#polling = true;
      while (!this.#parts.panel.hidden && this.isConnected) {
        try {
          const response = await fetch(BASE + 'api/info');
          if (!response.ok) throw new Error(response.statusText);
          this.#info = await response.json();
          if (!this.hasAttribute('heading')) this.#parts.heading.textContent = t('Ask {}', this.#info.name);
          this.#parts.input.maxLength = this.#info.max_question_chars;
          this.#notice(this.#info.ready ? '' : t('Getting ready: {}…', this.#info.starting));
        } catch {
          this.#notice(t('The assistant can’t be reached. Trying again…'));
        }
        if (!this.#state.messages.length) this.#draw();
        if (this.#info?.ready) break;
        await pause(2);
      }
      this.#polling = false;
    }

    #notice(text) {
      const { wait } = this.#parts;
      if (wait.textContent !== text) wait.textContent = text;
      wait.hidden = !text;
    }

    /** Fetches the answer to the last question and shows it in the last message. */
    async #answer() {
      const messages = this.#state.messages;
      const message = messages.at(-1);
      const question = messages.at(-2).text;
      const history = messages.slice(0, -2).filter((one) => one.text && one.state !== 'error')
        .slice(-SENT_TURNS).map((one) => ({ role: one.role, content: one.text }));
      const running = this.#running = new AbortController();
      Object.assign(message, { text: '', answer: null, state: 'wait' });
      this.#typed();
      this.#save();
      try {
        const response = await this.#post({ question, history, ...(this.#state.session && { session: this.#state.session }) }, running.signal);
        for await (const { event, data } of events(response)) {
          if (event === 'session') this.#state.session = data.session;
          else if (event === 'error') throw new Error(data.message);
          else if (event === 'token') { message.text += data.text; message.state = 'stream'; this.#soon(); }
          else if (event === 'answer') Object.assign(message, { text: data.answer, answer: data, state: 'done' });
        }
        if (message.state !== 'done') throw new Error(t('The answer broke off.'));
        if (!message.text) throw new Error(t('There is no answer this time. Ask in other words.'));
        this.#parts.said.textContent = message.text;
      } catch (error) {
        const stopped = running.signal.aborted;
        message.state = stopped ? 'stopped' : 'error';
        message.error = stopped ? '' : error instanceof TypeError ? t('The connection was lost.') : error.message;
        this.#parts.said.textContent = message.error || t('Stopped.');
      }
      if (this.#running === running) this.#running = null;
      this.#notice('');
      this.#typed();
      this.#save();
      this.#draw();
    }

    /** Requests an answer's stream. Waits while the assistant is starting or busy. */
    async #post(body, signal) {
      for (;;) {
        const response = await fetch(BASE + 'api/chat', { method: 'POST', signal, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
        if (response.ok) return response;
        const { message } = await response.json().catch(() => ({ message: t('The assistant can’t be reached just now.') }));
        if (response.status !== 503) throw new Error(message);
        this.#notice(message);
        await pause(Number(response.headers.get('Retry-After')) || 2, signal);
      }
    }

    #soon() {
      if (this.#parts.frame) return;
      this.#parts.frame = requestAnimationFrame(() => {
        this.#parts.frame = 0;
        const last = this.#parts.log.lastElementChild;
        const message = this.#state.messages.at(-1);
        if (!last || message?.state !== 'stream') return;
        last.replaceWith(this.#message(message));
        this.#notice('');
        this.#scroll();
      });
    }

    #scroll(always) {
      const { log } = this.#parts;
      const away = log.scrollHeight - log.scrollTop - log.clientHeight;
      if (always || away < 90) log.scrollTop = log.scrollHeight;
    }

    #draw() {
      const { log, fresh } = this.#parts;
      const messages = this.#state.messages;
      const follow = log.scrollHeight - log.scrollTop - log.clientHeight < 90;
      fresh.hidden = !messages.length;
      log.replaceChildren(...(messages.length ? messages.map((one) => this.#message(one)) : [this.#hello()]));
      if (follow && messages.length) log.scrollTop = log.scrollHeight;
    }

    #hello() {
      const info = this.#info || { description: '', questions: [] };
      return el('div', { className: 'hello' },
        el('p', { dir: 'auto' }, el('b', {}, t('What would you like to know?')), info.description),
        ...info.questions.map((question) => el('button', { type: 'button', className: 'ask', dir: 'auto', onclick: () => { this.ask(question); this.#focus(); } }, question)));
    }

    #message(message) {
      if (message.role === 'user') return el('div', { className: 'me', dir: 'auto' }, el('span', { className: 'sr' }, t('You: ')), message.text);
      const waiting = message.state === 'wait' || message.state === 'stream';
      const sources = message.answer?.citations || [];
      const box = el('div', { className: 'it', 'aria-busy': String(waiting) },
        el('div', { className: 'text', dir: 'auto' }, ...markdown(message.text, sources)));
      if (waiting) box.append(el('span', { className: 'dots', role: 'img', 'aria-label': t('Thinking') }, el('i'), el('i'), el('i')));
      if (sources.length) box.append(this.#sources(sources));
      if (!waiting) box.append(this.#acts(message));
      return box;
    }

    #sources(sources) {
      // On a phone the sheet would cover the page that the link opens.
      const onclick = (event) => { if (this.#sheet && !event.currentTarget.target) this.hide({ focus: false }); };
      return el('div', { className: 'sources' }, el('h3', {}, sources.length > 1 ? t('Sources') : t('Source')),
        el('ol', {}, ...sources.map((source) => el('li', {},
          el('span', { className: 'n', 'aria-hidden': 'true' }, String(source.n)),
          link(source.url, { onclick, dir: 'auto' }, where(source)),
          source.quote ? el('span', { className: 'quote', dir: 'auto' }, plain(source.quote)) : ''))));
    }

    #acts(message) {
      const acts = el('div', { className: 'acts' });
      if (message.state === 'error') acts.append(el('span', { className: 'error', role: 'alert' }, message.error));
      if (message.state === 'stopped') acts.append(el('span', {}, t('Stopped.')));
      if (message.state !== 'done') {
        if (message === this.#state.messages.at(-1)) acts.append(el('button', { type: 'button', onclick: () => { if (!this.#running) { this.#answer(); this.#draw(); } } }, icon('again'), t('Try again')));
      } else if (navigator.clipboard) {
        const copy = el('button', { type: 'button', 'aria-label': t('Copy the answer'), onclick: async () => {
          await navigator.clipboard.writeText(message.text);
          copy.replaceChildren(icon('done'), t('Copied'));
        } }, icon('copy'), t('Copy'));
        acts.append(copy);
      }
      return acts;
    }
  }

  customElements.define('site-twin', SiteTwin);
})();
