// Shows two drafts at a time, and records which one is better. Everything from the data set is inserted as text.
(() => {
  'use strict';
  const $ = (id) => document.getElementById(id);
  const version = new URLSearchParams(location.search).get('version') ?? '';
  const sides = document.querySelectorAll('.side-by');
  let all = [];     // two drafts each
  let at = 0;
  let busy = false;
  const done = [];  // {place, choice}, the last one last; choice is null for a skip

  const call = async (path, body) => {
    let answer;
    try {
      answer = await fetch(`api/${path}?version=${version}`, body && {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
      });
    } catch {
      throw new Error('The review does not run any more. Start `sitetwin dataset review` again; what you chose is saved.');
    }
    const said = await answer.json().catch(() => ({ error: `the server answered ${answer.status}` }));
    if (!answer.ok) throw new Error(said.error);
    return said;
  };
  const trying = async (work) => {
    if (busy) return;
    busy = true;
    try {
      await work();
      $('trouble').hidden = true;
    } catch (error) {
      $('trouble').textContent = error.message;
      $('trouble').hidden = false;
    } finally { busy = false; }
  };
  const el = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text });

  const show = () => {
    const two = all[at];
    $('none').hidden = Boolean(two);
    $('whole').hidden = !two;
    $('place').textContent = two ? `${at + 1} of ${all.length}` : '';
    for (const button of document.querySelectorAll('[data-key]')) button.disabled = button.dataset.key === 'u' ? !done.length : !two;
    if (!two) return;
    sides.forEach((side, place) => {
      const draft = two.sides[place];
      side.querySelector('.marks').replaceChildren(el('span', draft.accepted ? 'is-good' : 'is-bad', draft.state));
      side.querySelector('h2').textContent = draft.question;
      side.querySelector('.answer').textContent = draft.answer;
    });
    $('sources').replaceChildren(...two.sources.map(({ title, text }) => {
      const source = el('div', 'source', '');
      const box = el('div', text === null ? 'text gone' : 'text', text ?? 'This text is not in the notes any more.');
      box.dir = 'auto';
      source.append(el('header', '', title), box);
      return source;
    }));
    scrollTo({ top: 0, behavior: 'instant' });
  };
  const next = (choice, text) => {
    done.push({ place: at, choice });
    at += 1;
    show();
    $('said').textContent = `${text} ${all[at] ? `Question ${at + 1} of ${all.length}: ${all[at].sides[0].question}` : 'No two drafts are left.'}`;
  };
  const choose = (better, action, text) => trying(async () => {
    const [first, second] = all[at].sides.map(({ id }) => id);
    const choice = better ? { better: second, worse: first, action } : { better: first, worse: second, action };
    await call('choices', choice);
    next(choice, text);
  });
  const undo = () => trying(async () => {
    const last = done.at(-1);
    if (last.choice) await call('choices', { ...last.choice, action: 'undo' });
    done.pop();
    at = last.place;
    show();
    $('said').textContent = `Taken back. Question ${at + 1} of ${all.length}.`;
  });

  const KEYS = {
    1: () => choose(0, 'choose', 'You chose the first.'),
    2: () => choose(1, 'choose', 'You chose the second.'),
    n: () => choose(0, 'neither', 'Neither is better.'),
    s: () => { if (!busy) next(null, 'Skipped.'); },
    u: undo,
  };
  const press = (key) => {
    const button = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (button && !button.disabled) KEYS[key]();
    return Boolean(button);
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (press(event.key.toLowerCase())) event.preventDefault();
  });
  for (const button of document.querySelectorAll('[data-key]')) button.addEventListener('click', () => press(button.dataset.key));

  trying(async () => {
    all = (await call('drafts')).drafts;
    show();
  });
})();
