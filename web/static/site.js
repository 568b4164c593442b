// Buttons that ask the chat, copy buttons on code, and a menu that closes.
(() => {
  'use strict';
  for (const button of document.querySelectorAll('[data-ask]')) {
    button.addEventListener('click', () => document.querySelector('site-twin')?.ask(button.dataset.ask));
  }
  if (navigator.clipboard) {
    for (const block of document.querySelectorAll('.prose pre')) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'copy';
      button.textContent = 'Copy';
      button.addEventListener('click', async () => {
        await navigator.clipboard.writeText(block.textContent.trimEnd());
        button.textContent = 'Copied';
        setTimeout(() => { button.textContent = 'Copy'; }, 2000);
      });
      const frame = document.createElement('div');
      frame.className = 'code';
      block.replaceWith(frame);
      frame.append(block, button);
    }
  }
  const menu = document.querySelector('details.menu');
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && menu?.open) { menu.open = false; menu.querySelector('summary').focus(); }
  });
  document.addEventListener('click', (event) => {
    if (menu?.open && !menu.contains(event.target)) menu.open = false;
  });
})();
