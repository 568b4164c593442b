// Shows one pair at a time. Everything from the data set is inserted as text, never as HTML.
(() => {
  'use strict';
  const PAGE = 100;
  const LOOK_MS = 5000;
  const $ = (id) => document.getElementById(id);
  const filters = $('filters');
  const editor = $('editor');
  const NAMES = ['text', 'outcome', 'decision', 'kind', 'split', 'source', 'chance', 'order'];
  const RELEARN = 10;   // decisions made here until the list is ordered anew
  const SAID = { accept: 'accepted', edit: 'edited', reject: 'rejected' };

  let data = null;      // reply of api/pairs: the list, the counts and the choices
  let at = 0;           // position in data.pairs
  let shown = null;     // reply of api/pairs/ID: the whole pair at that position
  let listed = null;    // first position that the list shows
  let asked = 0;        // number of requests for a pair; only the last reply counts
  let sought = 0;       // number of requests for the list; only the last reply counts
  let busy = false;     // a decision is on its way
  const done = [];      // {id, action, words} or {many, at} of each decision made here, for undo

  const el = (tag, className, ...children) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children);
    return node;
  };

  // ---- the server ---------------------------------------------------------------------------------
  const call = async (path, body) => {
    let answer;
    try {
      answer = await fetch(`api/${path}`, body && {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
      });
    } catch {
      throw new Error(`The review does not run any more. Start \`${data?.words.start ?? 'sitetwin dataset review'}\` again; what you decided is saved.`);
    }
    const said = await answer.json().catch(() => ({ error: `the server answered ${answer.status}` }));
    if (!answer.ok) throw new Error(said.error);
    return said;
  };
  const trouble = (text) => {
    // A screen reader would read an unchanged text again.
    if ($('trouble').textContent !== text) $('trouble').textContent = text;
    $('trouble').hidden = !text;
  };
  const trying = (work, { clears = true } = {}) => async (...given) => {
    try {
      const result = await work(...given);
      if (clears) trouble('');
      return result;
    } catch (error) {
      trouble(error.message);
    }
  };
  const say = (text) => { $('said').textContent = text; };

  // ---- filters and list ---------------------------------------------------------------------------
  const wanted = () => {
    const query = new URLSearchParams();
    for (const name of NAMES) if (filters.elements[name].value) query.set(name, filters.elements[name].value);
    return query;
  };
  const fill = (name, all, options) => {
    const select = filters.elements[name];
    const value = data ? select.value : new URLSearchParams(location.search).get(name) ?? '';
    select.replaceChildren(new Option(all, ''), ...options.map(([id, text]) => new Option(text, id)));
    if (value && select.value !== value && !options.some(([id]) => id === value)) select.add(new Option(value, value));
    select.value = value;
  };
  const counted = (counts) => Object.entries(counts).map(([id, count]) => [id, `${id} (${count})`]);
  const fillFilters = ({ choices }) => {
    fill('outcome', 'anything', choices.outcomes);
    fill('kind', 'all kinds', counted(choices.kinds));
    fill('split', 'all', counted(choices.splits));
    filters.elements.split.closest('label').hidden = !Object.keys(choices.splits).length;
    fill('source', 'all documents', choices.sources.map(({ id, title, count }) => [id, `${title} (${count})`]));
  };

  /** Fetches the list again, and stays at the pair `id` if it is still there. */
  const load = trying(async (id, version = data?.version) => {
    const query = data ? wanted() : new URLSearchParams([...new URLSearchParams(location.search)].filter(([name]) => NAMES.includes(name)));
    const number = ++sought;
    if (version) query.set('version', version);
    const found = await call(`pairs?${query}`);
    if (number !== sought) return;
    fillFilters(found);
    data = found;
    const place = data.pairs.findIndex((pair) => pair.id === id);
    at = place < 0 ? 0 : place;
    listed = null;
    $('set').textContent = data.title;
    $('found').textContent = `${data.pairs.length} of ${data.total}`;
    for (const node of document.querySelectorAll('[data-word]')) node.textContent = data.words[node.dataset.word] ?? node.textContent;
    document.title = data.words.title ?? document.title;
    for (const node of document.querySelectorAll('[data-edits]')) node.hidden = data.edits === false;
    $('all').hidden = !narrowed();
    showRules();
    $('drafts').hidden = !data.drafts;
    $('drafts').textContent = data.drafts === 1 ? '1 choice' : `${data.drafts} choices`;
    $('drafts').href = `drafts?version=${data.version}`;
    count(data);
    await show();
  });
  const count = (found) => {
    Object.assign(data, { decided: found.decided, waiting: found.waiting, stamp: found.stamp, newest: found.newest });
    $('decided').textContent = `${data.decided} of ${data.total} decided`;
    $('progress').max = data.total || 1;
    $('progress').value = data.decided;
    $('waiting').hidden = !data.waiting;
    $('waiting').firstElementChild.textContent = data.waiting === 1 ? '1 decision waits for the next' : `${data.waiting} decisions wait for the next`;
    const newer = !data.pinned && data.newest !== data.version;
    $('newer').hidden = !newer;
    const text = `Data set ${data.newest} is there, you are looking at ${data.version}.`;
    if (newer && $('newer').firstElementChild.textContent !== text) $('newer').firstElementChild.textContent = text;
  };

  const narrowed = () => [...wanted().keys()].some((name) => name !== 'order');
  const undecided = () => data.pairs.filter((pair) => !pair.decision);
  /** What the decisions taught, and the buttons that decide on all that are shown. */
  const showRules = () => {
    for (const name of ['chance', 'order']) filters.elements[name].closest('label').hidden = !data.learned && !filters.elements[name].value;
    $('learned').hidden = !data.learned;
    $('learned').textContent = `${filters.elements.order.value ? 'The chances are' : 'Least sure first,'} learned from ${data.learned} decisions.`;
    const count = data.many && narrowed() ? undecided().length : 0;
    $('many').hidden = !count;
    for (const button of $('many').children) button.textContent = `${button.value === 'accept' ? 'Accept' : 'Reject'} all ${count} undecided`;
  };

  const mark = (pair) => {
    const good = pair.decision ? pair.decision !== 'reject' : pair.accepted;
    const sign = el('i', `${pair.decision ? '' : 'un'}decided ${good ? 'is-good' : 'is-bad'}`, pair.decision ? { accept: '✓', edit: '✎', reject: '✕' }[pair.decision] : '•');
    sign.setAttribute('aria-hidden', 'true');
    const state = pair.decision ? `you ${SAID[pair.decision]}` : pair.state;
    return [sign, el('span', '', pair.question), el('span', 'sr', state)];
  };
  const showList = () => {
    const first = Math.floor(at / PAGE) * PAGE;
    const page = data.pairs.slice(first, first + PAGE);
    if (listed !== first) {
      $('list').start = first + 1;
      $('list').replaceChildren(...page.map((pair, place) => {
        const button = el('button', '', ...mark(pair));
        button.type = 'button';
        button.dir = 'auto';
        button.addEventListener('click', () => { if (go(first + place)) $('pair').focus({ preventScroll: true }); });
        return el('li', '', button);
      }));
      listed = first;
      $('page').textContent = page.length ? `${first + 1}–${first + page.length} of ${data.pairs.length}` : '';
      $('pages').hidden = data.pairs.length <= PAGE;
      $('earlier').disabled = !first;
      $('later').disabled = first + PAGE >= data.pairs.length;
    }
    for (const old of $('list').querySelectorAll('[aria-current]')) old.removeAttribute('aria-current');
    const current = $('list').children[at - first]?.firstElementChild;
    if (!current) return;
    current.setAttribute('aria-current', 'true');
    current.replaceChildren(...mark(data.pairs[at]));
    if ($('list').offsetParent) {
      const box = matchMedia('(max-width: 820px)').matches ? $('list') : $('side');
      const [inside, row] = [box.getBoundingClientRect(), current.getBoundingClientRect()];
      if (row.top < inside.top) box.scrollTop -= inside.top - row.top + 40;
      else if (row.bottom > inside.bottom) box.scrollTop += row.bottom - inside.bottom + 40;
    }
  };

  // ---- the pair -----------------------------------------------------------------------------------
  const show = async () => {
    closeEditor();
    showList();
    const pair = data.pairs[at];
    const query = wanted();
    history.replaceState(null, '', `${query.size ? `?${query}` : location.pathname}${pair ? `#${pair.id}` : ''}`);
    $('none').hidden = Boolean(pair);
    if (!pair) { shown = null; $('whole').hidden = true; enable(); return; }
    const number = ++asked;
    $('pair').ariaBusy = 'true';
    const whole = await call(`pairs/${pair.id}?version=${data.version}`);
    if (number !== asked) return;
    const other = shown?.id !== whole.id;
    showPair(whole);
    if (other) scrollTo({ top: 0, behavior: 'instant' });
  };
  const showPair = (whole) => {
    shown = whole;
    const { pair } = whole;
    const said = whole.decision && el('span', `mine ${whole.decision === 'reject' ? 'is-bad' : 'is-good'}`, `You ${SAID[whole.decision]} it`);
    $('marks').replaceChildren(...[
      el('span', whole.accepted ? 'is-good' : 'is-bad', whole.outcome),
      said,
      ...whole.marks.map((text) => el('span', '', text)),
    ].filter(Boolean));
    $('reason').replaceChildren(...[whole.rejection?.reason, effect(whole)].filter(Boolean).flatMap((text) => [text, el('br')]).slice(0, -1));
    $('question').textContent = whole.question;
    $('answer').textContent = whole.answer;
    $('written').hidden = whole.question === pair.question && whole.answer === pair.answer;
    $('written').querySelector('p').textContent = pair.question;
    $('written').querySelector('div').textContent = pair.answer;
    $('sources').replaceChildren(...whole.sources.map(sourceOf));
    $('whole').hidden = false;
    $('pair').ariaBusy = 'false';
    enable();
  };
  const effect = ({ decision, waits, rejection }) => {
    if (rejection?.stage === 'split') return 'It stays out whatever you decide: it would train on what another part tests.';
    if (!waits) return '';
    if (decision === 'reject') return 'The next build leaves it out.';
    if (decision === 'edit') return 'The next build takes your words.';
    if (decision === 'accept') return rejection ? 'The next build takes it in.' : 'The next build takes the teacher’s words.';
    return rejection ? 'In the next build the filter decides again.' : 'The next build takes the teacher’s words again.';
  };
  const safeUrl = (address) => {
    try {
      return /^https?:$/.test(new URL(address).protocol) ? address : '';
    } catch { return ''; }
  };
  const sourceOf = (source) => {
    // Only absolute addresses become links: a path needs the gateway, which may not run.
    const href = safeUrl(source.url);
    const title = el(href ? 'a' : 'span', '', source.title);
    if (href) Object.assign(title, { href, target: '_blank', rel: 'noopener noreferrer' });
    const where = [source.heading.replaceAll(' > ', ' › '), source.url && !href ? source.url : source.document].filter(Boolean).join(' · ');
    const text = source.text ?? 'This text is not in the notes any more. The next build drops the pair.';
    const box = el('div', source.text === null ? 'text gone' : 'text', text);
    box.dir = 'auto';
    return el('div', 'source', el('header', '', title, ' ', el('small', '', where)), box);
  };
  const enable = () => {
    for (const button of document.querySelectorAll('[data-key]')) {
      const key = button.dataset.key;
      button.disabled = { j: !data || at >= data.pairs.length - 1, k: at <= 0, u: !shown?.decision && !done.length }[key] ?? !shown;
    }
  };

  const told = (pair) => `Pair ${at + 1} of ${data.pairs.length}: ${pair.question}`;
  const go = (place) => {
    if (!data || !data.pairs[place] || place === at || !mayLeave()) return false;
    at = place;
    say(told(data.pairs[at]));
    trying(show)();
    return true;
  };

  // ---- decisions ----------------------------------------------------------------------------------
  const decide = trying(async (action, id, words = {}) => {
    if (busy) return false;
    busy = true;
    try {
      const found = await call(`decisions?version=${data.version}`, { pair: id, action, ...words });
      const changed = data.pairs.findIndex((pair) => pair.id === id);
      if (changed >= 0) {
        Object.assign(data.pairs[changed], { question: found.pair.question, decision: found.pair.decision, waits: found.pair.waits });
        const button = $('list').children[changed - listed]?.firstElementChild;
        button?.replaceChildren(...mark(data.pairs[changed]));
      }
      if (shown?.id === id) showPair(found.pair);
      count(found);
      return true;
    } finally { busy = false; }
  });
  const remember = ({ id, decision, question, answer }) => {
    done.push({ id, action: decision ?? 'undo', words: decision === 'edit' ? { question, answer } : {} });
  };
  const judge = async (action, words) => {
    const pair = shown;
    // The shown pair may lag behind the list by one request.
    if (!pair || pair.id !== data.pairs[at]?.id) return;
    if (action === 'accept' && pair.decision === 'edit') { say('It is accepted as you edited it; u takes that back.'); return; }
    if (!await decide(action, pair.id, words)) return;
    remember(pair);
    const next = data.pairs.findIndex((other, place) => place > at && !other.decision);
    const text = `You ${SAID[action]} it. ${data.decided} of ${data.total} decided.`;
    showRules();
    if (next < 0) { say(`${text} No undecided pair is left below.`); enable(); return; }
    closeEditor();
    if (data.many && !filters.elements.order.value && done.length % RELEARN === 0) {
      // The first time takes some seconds.
      $('learned').textContent = 'Learning from your decisions …';
      $('learned').hidden = false;
      await load(data.pairs[next].id);
      if (data.learned) go(0);
    } else go(next);
    say(data.pairs[at] ? `${text} ${told(data.pairs[at])}` : text);
  };
  const judgeMany = trying(async (action) => {
    const ids = undecided().map(({ id }) => id);
    const rule = NAMES.filter((name) => name !== 'order' && filters.elements[name].value).map((name) => {
      const { labels, options, selectedIndex, value } = filters.elements[name];
      return `${labels[0].firstChild.textContent.trim()}: ${options ? options[selectedIndex].text : value}`;
    });
    const word = action === 'accept' ? 'Accept' : 'Reject';
    if (busy || !confirm(`${word} ${ids.length} pairs that you have not decided on?\n\n${rule.join('\n')}\n\nThe key u takes it back.`)) return;
    busy = true;
    try {
      const found = await call(`decisions/many?version=${data.version}`, { action, pairs: ids });
      done.push({ many: new Set(found.pairs), at: found.at });
      await load(shown?.id);
      say(`You ${SAID[action]} ${found.pairs.length} pairs. ${data.decided} of ${data.total} decided.`);
    } finally { busy = false; }
  });
  const undoMany = trying(async (last) => {
    const found = await call(`decisions/many?version=${data.version}`, { action: 'undo', at: last.at });
    done.splice(done.indexOf(last), 1);
    await load(shown?.id);
    say(`Taken back for ${found.pairs.length} pairs.`);
  });
  const undo = async () => {
    const mine = shown?.decision ? done.findLastIndex(({ id, many }) => id === shown.id || many?.has(shown.id)) : done.length - 1;
    const last = mine >= 0 ? done[mine] : shown?.decision && { id: shown.id, action: 'undo', words: {} };
    if (last?.many) { await undoMany(last); return; }
    if (!last || !await decide(last.action, last.id, last.words)) return;
    if (mine >= 0) done.splice(mine, 1);
    const place = data.pairs.findIndex((pair) => pair.id === last.id);
    if (place >= 0) go(place);
    enable();
    showRules();
    say(`Taken back. ${place >= 0 ? told(data.pairs[at]) : ''}`);
  };

  // ---- the editor ---------------------------------------------------------------------------------
  const typed = () => ({ question: editor.elements.question.value.trim(), answer: editor.elements.answer.value.trim() });
  const changed = () => !editor.hidden && (typed().question !== shown.question.trim() || typed().answer !== shown.answer.trim());
  const mayLeave = () => !changed() || confirm('Throw away what you typed?');
  const closeEditor = () => {
    const focused = editor.contains(document.activeElement);
    editor.hidden = true;
    $('shown').hidden = false;
    if (focused) $('pair').focus({ preventScroll: true });
  };
  const edit = () => {
    if (data.edits === false || !shown || shown.id !== data.pairs[at]?.id) return;
    editor.elements.question.value = shown.question;
    editor.elements.answer.value = shown.answer;
    editor.hidden = false;
    $('shown').hidden = true;
    editor.elements.question.focus();
  };
  const leave = () => { if (mayLeave()) closeEditor(); };
  const save = () => {
    const words = typed();
    const empty = ['question', 'answer'].find((name) => !words[name]);
    if (empty) { say(`The ${empty} is empty.`); editor.elements[empty].focus(); return; }
    if (!changed()) { closeEditor(); say('Nothing was changed.'); return; }
    judge('edit', words);
  };
  editor.addEventListener('submit', (event) => { event.preventDefault(); save(); });
  $('leave').addEventListener('click', leave);
  editor.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') { event.preventDefault(); leave(); }
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); save(); }
  });
  addEventListener('beforeunload', (event) => { if (changed()) event.preventDefault(); });

  // ---- keys and clicks ----------------------------------------------------------------------------
  const KEYS = {
    j: () => go(at + 1), k: () => go(at - 1), ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1),
    a: () => judge('accept'), r: () => judge('reject'), e: edit, u: undo,
    '/': () => { $('side').open = true; filters.elements.text.select(); filters.elements.text.focus(); },
    '?': () => $('help').showModal(),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $('help').open) return;
    if (event.target.closest('input, select, textarea')) return;
    const work = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    // A key that is held down moves on, but does not decide.
    if (!work || !editor.hidden || (event.repeat && 'areu'.includes(event.key))) return;
    event.preventDefault();
    work();
  });
  for (const button of document.querySelectorAll('[data-key]')) {
    button.addEventListener('click', () => { if (mayLeave()) { closeEditor(); KEYS[button.dataset.key](); } });
  }
  $('many').addEventListener('click', ({ target }) => { if (target.value && mayLeave()) { closeEditor(); judgeMany(target.value); } });
  $('help-button').addEventListener('click', KEYS['?']);
  $('earlier').addEventListener('click', () => go(listed - PAGE));
  $('later').addEventListener('click', () => go(listed + PAGE));

  const refilter = () => { if (mayLeave()) { closeEditor(); load(shown?.id).then(() => { if (data) say($('found').textContent); }); } };
  let typing;
  filters.addEventListener('input', (event) => {
    clearTimeout(typing);
    typing = setTimeout(refilter, event.target.name === 'text' ? 250 : 0);
  });
  filters.addEventListener('submit', (event) => { event.preventDefault(); $('pair').focus(); });
  filters.elements.text.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') { event.preventDefault(); $('pair').focus(); }
  });
  $('all').addEventListener('click', () => { filters.reset(); refilter(); });
  $('newer').querySelector('button').addEventListener('click', () => { if (mayLeave()) { closeEditor(); load(shown?.id, data.newest); } });

  // ---- other tabs, and builds ---------------------------------------------------------------------
  const look = trying(async () => {
    if (!data || busy || document.hidden) return;
    const { stamp } = data;
    const state = await call('state');
    if (busy || stamp !== data.stamp) return;
    if (state.stamp === stamp) count({ ...data, ...state });
    // Decisions of other tabs can wait while the owner types.
    else if (editor.hidden) await load(shown?.id);
  }, { clears: false });
  setInterval(look, LOOK_MS);
  document.addEventListener('visibilitychange', look);

  if (matchMedia('(max-width: 820px)').matches) $('side').open = false;
  filters.elements.text.value = new URLSearchParams(location.search).get('text') ?? '';
  for (const name of ['decision', 'chance', 'order']) filters.elements[name].value = new URLSearchParams(location.search).get(name) ?? '';
  load(location.hash.slice(1));
})();
