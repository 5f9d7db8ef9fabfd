/**
 * What people tell of themselves by nodes of their account, as texts by name.
 *
 * XEP-0107: User Mood, version 1.2.2.
 * XEP-0108: User Activity, version 1.3.
 * XEP-0118: User Tune, version 1.3.0.
 * XEP-0172: User Nickname, version 1.1.
 * XEP-0080: User Location, version 1.10.0.
 */
import { UsageError } from '../errors.js';
import { childElements, xml, type Element } from '../xml/element.js';
import { activities, locationFields, moods, specificActivities, tuneFields } from './names.js';

export type StateFields = Readonly<Record<string, string>>;

export interface UserState {
  node: string;
  /** Empty when it says nothing, which is how a state is taken back. */
  read: (payload: Element) => StateFields;
  /** @throws UsageError a word or a value that the specification does not have */
  make: (fields: StateFields) => Element;
}

const NS_MOOD = 'http://jabber.org/protocol/mood';
const NS_ACTIVITY = 'http://jabber.org/protocol/activity';
const NS_TUNE = 'http://jabber.org/protocol/tune';
const NS_NICK = 'http://jabber.org/protocol/nick';
const NS_GEOLOC = 'http://jabber.org/protocol/geoloc';

export const mood: UserState = {
  node: NS_MOOD,
  read: (payload) => ({ ...wordOf('mood', payload, NS_MOOD), ...textOf(payload, 'text') }),
  make: ({ mood: word, text }) =>
    xml(
      'mood',
      { xmlns: NS_MOOD },
      word === undefined ? undefined : xml(known('mood', word, moods)),
      text === undefined ? undefined : xml('text', {}, text),
    ),
};

export const activity: UserState = {
  node: NS_ACTIVITY,
  read: (payload) => {
    const general = wordElement(payload, NS_ACTIVITY);
    return {
      ...wordOf('activity', payload, NS_ACTIVITY),
      ...(general && wordOf('specific', general, NS_ACTIVITY)),
      ...textOf(payload, 'text'),
    };
  },
  make: ({ activity: general, specific, text }) =>
    xml(
      'activity',
      { xmlns: NS_ACTIVITY },
      general === undefined
        ? undefined
        : xml(
            known('activity', general, activities),
            {},
            specific === undefined ? undefined : xml(known('activity', specific, specificActivities)),
          ),
      text === undefined ? undefined : xml('text', {}, text),
    ),
};

export const nick: UserState = {
  node: NS_NICK,
  read: (payload) => {
    const name = payload.getText().trim();
    return name === '' ? {} : { nick: name };
  },
  make: ({ nick: name = '' }) => xml('nick', { xmlns: NS_NICK }, name),
};

export const tune: UserState = {
  node: NS_TUNE,
  read: (payload) => childTexts(payload, tuneFields),
  make: (fields) => {
    checkNumber(fields, 'length', 0, 65_535, true);
    checkNumber(fields, 'rating', 1, 10, true);
    return withTexts('tune', NS_TUNE, fields, tuneFields);
  },
};

export const location: UserState = {
  node: NS_GEOLOC,
  read: (payload) => childTexts(payload, locationFields),
  make: (fields) => {
    checkNumber(fields, 'lat', -90, 90);
    checkNumber(fields, 'lon', -180, 180);
    checkNumber(fields, 'bearing', 0, 360);
    checkNumber(fields, 'speed', 0, Infinity);
    checkNumber(fields, 'accuracy', 0, Infinity);
    return withTexts('geoloc', NS_GEOLOC, fields, locationFields);
  },
};

function known(what: string, word: string, words: readonly string[]): string {
  const name = word.replaceAll('-', '_');
  if (words.includes(name)) return name;
  throw new UsageError(`there is no ${what} ${JSON.stringify(word)}`, {
    hint: `known are ${words.join(', ')}`,
  });
}

function wordElement(payload: Element, namespace: string): Element | undefined {
  return childElements(payload).find((child) => child.getNS() === namespace && child.getName() !== 'text');
}

function wordOf(name: string, payload: Element, namespace: string): StateFields {
  const word = wordElement(payload, namespace)?.getName();
  return word === undefined ? {} : { [name]: word };
}

function textOf(payload: Element, name: string): StateFields {
  const text = payload.getChildText(name);
  return text === null || text === '' ? {} : { [name]: text };
}

function childTexts(payload: Element, names: readonly string[]): StateFields {
  return Object.assign({}, ...names.map((name) => textOf(payload, name))) as StateFields;
}

/** In the order of the schema. @throws UsageError a name that is none */
function withTexts(name: string, xmlns: string, fields: StateFields, names: readonly string[]): Element {
  const unknown = Object.keys(fields).find((field) => !names.includes(field));
  if (unknown !== undefined)
    throw new UsageError(`there is no ${JSON.stringify(unknown)}`, { hint: `known are ${names.join(', ')}` });
  return xml(
    name,
    { xmlns },
    names.flatMap((field) => {
      const text = fields[field];
      return text === undefined || text === '' ? [] : [xml(field, {}, text)];
    }),
  );
}

function checkNumber(fields: StateFields, name: string, least: number, most: number, isWhole = false): void {
  const text = fields[name];
  if (text === undefined) return;
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most) || (isWhole && !Number.isInteger(value))) {
    const range = most === Infinity ? `of ${least} or more` : `from ${least} to ${most}`;
    throw new UsageError(`${name} takes a ${isWhole ? 'whole ' : ''}number ${range}, not ${text}`);
  }
}
