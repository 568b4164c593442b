// The page /compare: one question, a column for each way to answer. What comes from the server is inserted as text.
(() => {
  'use strict';
  const { el, events, link, markdown, pause, plain, where } = customElements.get('site-twin').kit;
  const find = (selector) => document.querySelector(`.compare ${selector}`);
  const form = find('form'), field = find('#question'), blind = find('#blind'), go = find('.go'), said = find('.said');
  const board = find('.board'), tabs = find('.tabs'), copy = find('.link');
  const STORE = 'sitetwin owner';
  const TRIES = { held: 'The notes hold it', nowhere: 'It exists nowhere', voice: 'Only the voice counts' };
  let info = null, running = null, columns = new Map(), ballot = '';

  // The owner's key comes behind the #, which no server and no other page is sent. It leaves the address at once.
  const sent = new URLSearchParams(location.hash.slice(1)).get('key');
  try {
    if (sent) localStorage.setItem(STORE, sent);
  } catch { /* storage is blocked: the key lives as long as the page */ }
  if (sent) history.replaceState(null, '', location.pathname + location.search);
  let key = sent || '';
  try { key ||= localStorage.getItem(STORE) || ''; } catch { /* as above */ }
  const headers = () => ({ 'Content-Type': 'application/json', ...(key && { Authorization: `Bearer ${key}` }) });

  const say = (text, bad = false) => { said.textContent = text; said.classList.toggle('bad', bad); };
  const time = (ms) => ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`;
  const chosen = () => [...form.querySelectorAll('.choices input:checked')].map((box) => box.value);

  const refusal = async (response) => (await response.json().catch(() => ({}))).message || 'The gateway can’t be reached.';

  async function start() {
    const response = await fetch('/api/compare', { headers: headers() }).catch(() => null);
    if (!response?.ok) {
      Object.assign(find('.closed'), { hidden: false, textContent: response ? await refusal(response) : 'The gateway can’t be reached.' });
      return;
    }
    info = await response.json();
    const asked = new URLSearchParams(location.search);
    const wanted = asked.get('systems')?.split(',').filter(Boolean) || info.systems.map((one) => one.name).slice(0, info.most_systems);
    const known = [...info.systems, ...wanted.filter((name) => !info.systems.some((one) => one.name === name)).map((name) => ({ name, says: '' }))];
    find('.choices').append(...known.map((one) => el('label', { className: 'choice' },
      el('input', { type: 'checkbox', value: one.name, checked: wanted.includes(one.name) }), one.name, el('small', {}, one.says))));
    find('.probes').append(...info.probes.map((probe) => el('button', { type: 'button', dir: 'auto', onclick: () => { field.value = probe.question; form.requestSubmit(); } },
      el('b', {}, `${TRIES[probe.tries]}: `), probe.question)));
    field.maxLength = info.max_question_chars;
    blind.checked = asked.has('blind');
    showVotes(info.votes);
    form.hidden = false;
    if (!asked.get('q')) return;
    field.value = asked.get('q');
    form.requestSubmit();
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (running) { running.abort(); return; }
    const question = field.value.trim(), systems = chosen();
    if (systems.length > info.most_systems) say(`At most ${info.most_systems} at a time: leave some out.`, true);
    else if (systems.length < (blind.checked ? 2 : 1)) say(blind.checked ? 'A blind comparison needs two ways to answer.' : 'Choose a way to answer.', true);
    else if (question) ask({ question, systems, blind: blind.checked });
  });
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  });

  async function ask(body) {
    const mine = running = new AbortController();
    const address = new URLSearchParams({ q: body.question, systems: body.systems.join(','), ...(body.blind && { blind: '1' }) });
    history.replaceState(null, '', `?${address}`);
    copy.hidden = !navigator.clipboard;
    go.textContent = 'Stop';
    find('.vote').hidden = true;
    board.replaceChildren();
    tabs.hidden = true;
    say('Asking…');
    try {
      const response = await post(body, mine.signal);
      for await (const { event, data } of events(response)) {
        if (event === 'columns') layOut(data);
        else if (event === 'error') throw new Error(data.message);
        else if (event === 'ended') say(`${data.count} of ${columns.size} have answered.`);
        else columns.get(data.column)[event](data);
      }
      const open = [...columns.values()].filter((column) => !column.done).length;
      if (open || !columns.size) throw new Error('The answers broke off.');
      const failed = [...columns.values()].filter((column) => column.hasFailed).length;
      say(`${columns.size - failed} answered${failed ? `, ${failed} failed` : ''}. They shared this machine: compare the times with each other.`);
      if (ballot) askVote();
    } catch (error) {
      const stopped = mine.signal.aborted;
      for (const column of columns.values()) column.stop();
      say(stopped ? 'Stopped.' : error instanceof TypeError ? 'The connection was lost.' : error.message, !stopped);
    }
    running = null;
    go.textContent = 'Ask all';
  }

  /** Requests the stream. Waits while the site is starting or busy. */
  async function post(body, signal) {
    for (;;) {
      const response = await fetch('/api/compare', { method: 'POST', signal, headers: headers(), body: JSON.stringify(body) });
      if (response.ok) return response;
      const message = await refusal(response);
      if (response.status !== 503) throw new Error(message);
      say(message);
      await pause(Number(response.headers.get('Retry-After')) || 2, signal);
    }
  }

  /** One way to answer: its methods are the server's events. */
  class Column {
    done = false;
    hasFailed = false;
    #text = '';
    #began = performance.now();

    constructor({ column, name }) {
      this.letter = column;
      this.answer = el('div', { className: 'answer', dir: 'auto' });
      this.heading = el('h2', { id: `heading-${column}`, dir: 'auto' }, name);
      this.says = el('p', {}, info.systems.find((one) => one.name === name)?.says || '');
      this.times = el('dl', { className: 'times' });
      this.more = el('div', {});
      this.node = el('section', { className: 'col', id: `col-${column}`, 'aria-labelledby': `heading-${column}`, 'aria-busy': 'true' },
        el('header', {}, this.heading, this.says), this.times, this.answer, this.more);
      this.tab = el('button', { type: 'button', role: 'tab', 'aria-controls': `col-${column}`, 'aria-selected': 'false', tabindex: '-1', onclick: () => select(column) }, name);
      this.waits({ text: '' });
    }

    waits({ text }) {
      this.answer.replaceChildren(el('span', { className: 'waits' }, text ? `Waiting: ${text}…` : 'Thinking…'));
    }

    piece({ text }) {
      if (!this.#text) this.#time('first word', performance.now() - this.#began);
      this.#text += text;
      this.answer.replaceChildren(...markdown(this.#text, []));
    }

    answered({ answer, passages = [], reason, read, written }) {
      this.#end();
      const sources = answer.citations || [];
      this.answer.replaceChildren(...markdown(answer.answer, sources));
      this.more.replaceChildren();
      if (answer.timings) {
        this.times.replaceChildren();
        this.#time('first word', answer.timings.first_token_ms);
        this.#time('all', answer.timings.total_ms);
      }
      if (written) this.#pair('tokens', `${read} read, ${written} written`);
      const why = reason || answer.why_not;
      if (answer.refused || why) this.more.append(el('p', { className: 'why' }, el('b', {}, answer.refused ? 'Declined. ' : 'Not its own words. '), why || ''));
      if (answer.unsupported?.length) this.more.append(el('p', { className: 'why' }, el('b', {}, 'In no passage: '), answer.unsupported.join(', ')));
      this.#list('Sources', sources, (one) => [link(one.url, {}, where(one)), el('q', {}, plain(one.quote))], true);
      this.#list('Passages found', passages, (one) => [link(one.url, {}, where(one)), ' ', el('small', {}, one.visibility === 'private' ? 'private' : ''), el('q', {}, plain(one.text))]);
    }

    failed({ text }) {
      this.#end();
      this.hasFailed = true;
      this.tab.classList.remove('done');
      this.answer.replaceChildren(el('p', { className: 'bad' }, text));
    }

    stop() {
      if (!this.done) this.answer.append(el('p', { className: 'bad' }, 'Stopped.'));
      this.node.setAttribute('aria-busy', 'false');
      this.answer.querySelector('.waits')?.remove();
    }

    named(name) {
      this.heading.textContent = `${this.letter}: ${name}`;
      this.tab.textContent = name;
      this.says.textContent = info.systems.find((one) => one.name === name)?.says || '';
    }

    #end() {
      this.done = true;
      this.node.setAttribute('aria-busy', 'false');
      this.tab.classList.add('done');
    }

    #time(what, ms) { this.#pair(what, time(ms)); }

    #pair(what, value) { this.times.append(el('div', {}, el('dt', {}, what), el('dd', {}, value))); }

    #list(title, items, row, open = false) {
      if (!items.length) return;
      this.more.append(el('details', { open }, el('summary', {}, `${title} (${items.length})`), el('ol', {}, ...items.map((one) => el('li', { dir: 'auto' }, ...row(one))))));
    }
  }

  function layOut(data) {
    ballot = data.ballot;
    columns = new Map(data.columns.map((one) => [one.column, new Column(one)]));
    board.replaceChildren(...[...columns.values()].map((one) => one.node));
    tabs.replaceChildren(...[...columns.values()].map((one) => one.tab));
    tabs.hidden = false;
    select(data.columns[0].column);
  }

  /** On a phone one column is shown at a time. */
  function select(letter, focus = false) {
    for (const [own, column] of columns) {
      const on = own === letter;
      column.node.classList.toggle('away', !on);
      column.tab.setAttribute('aria-selected', String(on));
      column.tab.tabIndex = on ? 0 : -1;
      if (on && focus) column.tab.focus();
    }
  }
  tabs.addEventListener('keydown', (event) => {
    const letters = [...columns.keys()], at = letters.findIndex((letter) => columns.get(letter).tab.tabIndex === 0);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) select(letters.at((at + step) % letters.length), true);
  });

  function askVote() {
    const button = (text, letter) => el('button', { type: 'button', onclick: () => vote(letter) }, text);
    find('.vote .ask-row').replaceChildren(...[...columns.keys()].map((letter) => button(letter, letter)), button('I can’t tell', ''));
    find('.vote').hidden = false;
  }

  async function vote(letter) {
    find('.vote').hidden = true;
    const response = await fetch('/api/compare/vote', { method: 'POST', headers: headers(), body: JSON.stringify({ ballot, column: letter }) }).catch(() => null);
    if (!response?.ok) { say(response ? await refusal(response) : 'The connection was lost.', true); return; }
    const { names, ended, votes } = await response.json();
    for (const [own, name] of Object.entries(names)) {
      const column = columns.get(own);
      column.named(name);
      column[ended[own].event](ended[own]);
      column.node.classList.toggle('chosen', own === letter);
    }
    say(letter ? `You chose ${names[letter]}. Your vote is kept.` : 'Your vote is kept.');
    showVotes(votes);
  }

  function showVotes(votes) {
    const share = (value) => `${Math.round(value * 100)} %`;
    find('.votes').hidden = !votes.length;
    find('.votes ul').replaceChildren(...votes.map(({ system, chosen: { value, low, high, count } }) => el('li', {}, el('b', {}, system),
      el('meter', { min: '0', max: '1', value: String(value), 'aria-label': `${system}, chosen` }), `${share(value)} (${share(low)} to ${share(high)}) of ${count}`)));
    if (votes.length) find('.votes .note').textContent = `How often each was chosen in blind comparisons, with the 95 % interval. By guessing it would be ${share(votes[0].guessing)}. Where intervals overlap, no difference is shown.`;
  }

  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(location.href);
    say('Copied. The link asks the same question of the same ways to answer.');
  });

  start();
})();
