/** What a conversion has to say, gathered on the way. */
import { childElements, type Element } from '../../xml/element.js';
import type { CardWarning, WarningCode } from '../card.js';

/** A picture in base64 is nothing to show somebody. */
const MAX_VALUE = 80;

export class Warnings {
  readonly all: CardWarning[] = [];

  add(code: WarningCode, element: string, value: string | Element = ''): void {
    const text = typeof value === 'string' ? value : valueOf(value);
    // Cut before white space is looked at: a picture in base64 is long.
    const shown = text
      .slice(0, MAX_VALUE * 2)
      .replace(/\s+/g, ' ')
      .trim();
    this.all.push({ code, element, value: shown.length > MAX_VALUE ? `${cut(shown)}…` : shown });
  }
}

/** All texts in an element, one after the other. */
function valueOf(element: Element): string {
  const children = childElements(element);
  if (children.length === 0) return element.getText();
  return children
    .map(valueOf)
    .filter((text) => text.trim() !== '')
    .join(' ');
}

/** Not in the middle of a character. */
function cut(text: string): string {
  return text.slice(0, MAX_VALUE - 1).replace(/[\ud800-\udbff]$/, '');
}
