/**
 * Dates and times of cards. The extended form (`1966-08-06`) is what clients read; the basic one (`19660806`) is what
 * RFC 6351's schema takes. Nothing is guessed: what could mean two things stays a text.
 */

export type DateStyle = 'extended' | 'rfc';

export interface CardDate {
  kind: 'date' | 'date-time';
  text: string;
}

const FULL_DATE = /^(\d{4})-?(\d{2})-?(\d{2})$/;
const YEAR_MONTH = /^(\d{4})-(\d{2})$/;
const MONTH_DAY = /^--(\d{2})-?(\d{2})$/;
const MONTH = /^--(\d{2})$/;
const DAY = /^---(\d{2})$/;
const DATE_TIME =
  /^(\d{4})-?(\d{2})-?(\d{2})T(\d{2}):?(\d{2}):?(\d{2})(?:\.\d+)?(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

/** @returns undefined when it is no date, or could be several */
export function readDate(text: string, style: DateStyle): CardDate | undefined {
  const isBasic = style === 'rfc';
  const dash = isBasic ? '' : '-';
  const date = (found: string): CardDate => ({ kind: 'date', text: found });
  const full = FULL_DATE.exec(text);
  if (full && hasSameDashes(text)) {
    const [, year = '', month = '', day = ''] = full;
    return isDay(year, month, day) ? date([year, month, day].join(dash)) : undefined;
  }
  const yearMonth = YEAR_MONTH.exec(text);
  if (yearMonth) return isMonth(yearMonth[2]) ? date(text) : undefined;
  const monthDay = MONTH_DAY.exec(text);
  if (monthDay) {
    const [, month = '', day = ''] = monthDay;
    // A leap year has every day there is.
    return isDay('2000', month, day) ? date(`--${month}${dash}${day}`) : undefined;
  }
  const month = MONTH.exec(text);
  if (month) return isMonth(month[1]) ? date(text) : undefined;
  const day = DAY.exec(text);
  if (day) return isDay('2000', '01', day[1] ?? '') ? date(text) : undefined;
  return readDateTime(text, isBasic);
}

function readDateTime(text: string, isBasic: boolean): CardDate | undefined {
  const found = DATE_TIME.exec(text);
  if (!found) return undefined;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', zone = ''] = found;
  if (!isDay(year, month, day) || !isTime(hour, minute, second)) return undefined;
  const upper = zone.toUpperCase();
  const offset = isBasic ? upper.replace(':', '') : upper;
  const [dash, colon] = isBasic ? ['', ''] : ['-', ':'];
  return {
    kind: 'date-time',
    text: `${[year, month, day].join(dash)}T${[hour, minute, second].join(colon)}${offset}`,
  };
}

/** RFC 6350 §6.7.4: a complete moment in UTC, in the basic form. */
export function readTimestamp(text: string): string | undefined {
  const found = readDateTime(text, false);
  if (!found) return undefined;
  // Without a zone it is nobody's time in particular.
  const zoned = /(?:Z|[+-]\d{2}(?::?\d{2})?)$/.test(found.text.slice(11)) ? found.text : `${found.text}Z`;
  const moment = new Date(zoned.replace(/([+-]\d{2})$/, '$1:00').replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  if (Number.isNaN(moment.getTime())) return undefined;
  return `${moment.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

/** XEP-0082: as vcard-temp writes it. */
export function extendedTimestamp(text: string): string | undefined {
  return readDateTime(text, false)?.text;
}

/** `1966-0806` is a mistake, not a date. */
function hasSameDashes(text: string): boolean {
  const count = text.split('-').length - 1;
  return count === 0 || count === 2;
}

function isMonth(month = ''): boolean {
  return Number(month) >= 1 && Number(month) <= 12;
}

function isDay(year: string, month: string, day: string): boolean {
  if (!isMonth(month) || Number(day) < 1) return false;
  return Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
}

function isTime(hour: string, minute: string, second: string): boolean {
  return Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60;
}

/** `-0700`, as RFC 6350 §4.7 writes it. @returns undefined when it is no offset */
export function readUtcOffset(text: string): string | undefined {
  if (/^Z$/i.test(text)) return '+0000';
  const found = /^([+-])(\d{2}):?(\d{2})?$/.exec(text);
  if (!found) return undefined;
  const [, sign = '', hours = '', minutes = '00'] = found;
  return Number(hours) <= 14 && Number(minutes) < 60 ? `${sign}${hours}${minutes}` : undefined;
}
