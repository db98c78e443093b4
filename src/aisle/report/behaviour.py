"""The script of the page: tables sort, pictures grow, everything folded is printed open. Without it all is readable."""

from typing import Final

SCRIPT: Final = """
'use strict';
for (const table of document.querySelectorAll('table')) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const numeric = head.classList.contains('number');
      const order = head.getAttribute('aria-sort');
      const up = order ? order === 'descending' : !numeric;
      heads.forEach(other => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      const body = table.tBodies[0];
      const key = row => row.cells[place].dataset.sort;
      const rows = [...body.rows].sort((a, b) => {
        if (!numeric) {
          const one = a.cells[place].textContent, two = b.cells[place].textContent;
          return (up ? 1 : -1) * (one < two ? -1 : one > two ? 1 : 0);
        }
        const one = key(a), two = key(b);
        if (one === '' || two === '') return (one === '') - (two === '');
        return (up ? 1 : -1) * (one - two);
      });
      body.append(...rows);
    });
  });
}
const dialog = document.createElement('dialog');
const close = document.createElement('button');
close.type = 'button';
close.textContent = 'Close';
close.addEventListener('click', () => dialog.close());
const room = document.createElement('div');
room.className = 'room';
room.tabIndex = 0;
dialog.append(close, room);
dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close(); });
document.body.append(dialog);
for (const image of document.querySelectorAll('figure > img')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'zoom';
  button.setAttribute('aria-label', 'Enlarge: ' + image.alt);
  image.replaceWith(button);
  button.append(image);
  button.addEventListener('click', () => {
    const large = image.cloneNode();
    dialog.setAttribute('aria-label', image.alt);
    room.replaceChildren(large);
    dialog.showModal();
  });
}
const folded = [...document.querySelectorAll('details')];
let opened = [];
addEventListener('beforeprint', () => {
  opened = folded.filter(one => !one.open);
  opened.forEach(one => { one.open = true; });
});
addEventListener('afterprint', () => opened.forEach(one => { one.open = false; }));
"""
