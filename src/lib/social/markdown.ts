/** Posts as people write them: Markdown, with what is said about the post between two lines of `---` before it. */
import MarkdownIt from 'markdown-it';
import { parse, stringify, YAMLParseError } from 'yaml';
import { UsageError } from '../errors.js';
import { childNodes, type Element } from '../xml/element.js';
import { parseXml } from '../xml/parse.js';
import { NS_XHTML, sanitizeXhtml } from './xhtml.js';

export interface WrittenPost {
  title?: string;
  tags?: string[];
  language?: string;
  isDraft?: boolean;
  /** When it was first published: for posts that come from elsewhere. */
  published?: Date;
  /** The id of the item. */
  id?: string;
  /** Markdown, without what was said before it. */
  body: string;
}

const names = ['title', 'tags', 'language', 'lang', 'draft', 'date', 'published', 'id'];

/**
 * A post without a title of its own gets that of a first line `# Title`.
 *
 * @param name of the input, for errors
 * @throws UsageError what stands before the text is not YAML, or has other things in it than a post has
 */
export function parsePost(text: string, name: string): WrittenPost {
  const source = text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
  const [whole = '', head = ''] = /^---[ \t]*\n([^]*?\n)?---[ \t]*(?:\n|$)/.exec(source) ?? [];
  const told = head.trim() === '' ? {} : parseHead(head, name);
  const body = source.slice(whole.length).trim();
  if (told.title !== undefined) return { ...told, body };
  const [line = '', title = ''] = /^# +(.+?) *#*(?:\n|$)/.exec(body) ?? [];
  return title === '' ? { ...told, body } : { ...told, title, body: body.slice(line.length).trim() };
}

/** What `parsePost` reads. */
export function formatPost({ body, title, tags, language, isDraft }: WrittenPost): string {
  const head = {
    ...(title !== undefined && { title }),
    ...(tags && tags.length > 0 && { tags }),
    ...(language !== undefined && { language }),
    ...(isDraft === true && { draft: true }),
  };
  const text = Object.keys(head).length === 0 ? '' : `---\n${stringify(head)}---\n\n`;
  return `${text}${body}\n`;
}

function parseHead(head: string, name: string): Omit<WrittenPost, 'body'> {
  let value: unknown;
  try {
    value = parse(head, { maxAliasCount: 0 });
  } catch (error) {
    if (!(error instanceof YAMLParseError) && !(error instanceof ReferenceError)) throw error;
    const [reason = ''] = error.message.split('\n');
    throw new UsageError(`what stands before the text of ${name} is not YAML: ${reason}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`what stands before the text of ${name} is not name: value`);
  const told = value as Record<string, unknown>;
  const unknown = Object.keys(told).find((key) => !names.includes(key));
  if (unknown !== undefined)
    throw new UsageError(`${name} says "${unknown}" before its text`, {
      hint: `known are ${names.join(', ')}`,
    });
  const title = textOf(told['title']);
  const language = textOf(told['language'] ?? told['lang']);
  const id = textOf(told['id']);
  const published = dateOf(told['published'] ?? told['date'], name);
  return {
    ...(title !== undefined && { title }),
    ...(told['tags'] !== undefined && { tags: tagsOf(told['tags']) }),
    ...(language !== undefined && { language }),
    ...(told['draft'] !== undefined && { isDraft: told['draft'] === true }),
    ...(published && { published }),
    ...(id !== undefined && { id }),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function tagsOf(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : (textOf(value) ?? '').split(',');
  return list.flatMap((tag) => {
    const text = textOf(tag)?.trim() ?? '';
    return text === '' ? [] : [text];
  });
}

function dateOf(value: unknown, name: string): Date | undefined {
  if (value === undefined || value === null) return undefined;
  const date = new Date(textOf(value) ?? NaN);
  if (Number.isNaN(date.getTime())) throw new UsageError(`the date of ${name} is none`);
  return date;
}

/** Deep enough for anybody, and not deep enough to be a weapon. */
const MAX_NESTING = 30;

/** A `div`. Markup that is not Markdown stays as it was typed; links that could do something become text. */
export function markdownToXhtml(markdown: string): Element {
  const renderer = new MarkdownIt({ html: false, xhtmlOut: true, maxNesting: MAX_NESTING });
  const html = renderer.render(markdown);
  return sanitizeXhtml(parseXml(`<div xmlns="${NS_XHTML}">${html}</div>`));
}

/** Whether it says more than its text does: then a post has it as XHTML, too. */
export function isPlainParagraph(xhtml: Element): boolean {
  const children = childNodes(xhtml).filter((child) => typeof child !== 'string' || child.trim() !== '');
  const [only] = children;
  return (
    children.length === 1 &&
    typeof only === 'object' &&
    only.getName() === 'p' &&
    childNodes(only).every((child) => typeof child === 'string')
  );
}
