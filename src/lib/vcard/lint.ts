/**
 * What becomes of a card when it moves: what is lost, what is repaired, what a server refuses, and what locks an
 * account out. Nothing is sent anywhere.
 */
import { childElements, type Element } from '../xml/element.js';
import { NS_VCARD_TEMP, type CardWarning, type WarningCode } from './card.js';
import { decodeBase64 } from './convert/base64.js';
import { vcard4ToVcardTemp } from './convert/to-vcard-temp.js';
import { vcardTempToVcard4 } from './convert/to-vcard4.js';
import { valuesOf } from './convert/vcard4-elements.js';

/** `refused`: a server does not take it, or worse. `lost`: it has no place. `changed`: it is there in another form. */
export type Severity = 'refused' | 'lost' | 'changed';

export type FindingCode =
  | WarningCode
  | 'prosody-lock-out'
  | 'prosody-invalid-item'
  | 'prosody-no-reply'
  | 'ejabberd-poisons-avatar'
  | 'ejabberd-too-large'
  | 'no-fn'
  // Of the accounts of an export (XEP-0227).
  | 'bad-account'
  | 'duplicate-account'
  | 'large-account'
  | 'scram-broken'
  | 'scram-double'
  | 'password-and-scram'
  | 'node-without-items'
  | 'roster-item';

export interface Finding {
  severity: Severity;
  code: FindingCode;
  element: string;
  value: string;
  /** Why it matters. */
  message: string;
  /** What to do about it. */
  advice: string;
}

/**
 * The worst first.
 * @param read what was said when the card was read from a notation other than XML
 */
export function lintCard(card: Element, read: readonly CardWarning[] = []): Finding[] {
  const isTemp = card.getNS() === NS_VCARD_TEMP;
  const { warnings } = isTemp ? vcardTempToVcard4(card) : vcard4ToVcardTemp(card);
  const findings = [
    ...(isTemp ? serverTroubles(card) : vcard4Troubles(card)),
    ...[...read, ...warnings].map(findingOf),
  ];
  const rank: Readonly<Record<Severity, number>> = { refused: 0, lost: 1, changed: 2 };
  return findings.sort((some, other) => rank[some.severity] - rank[other.severity]);
}

const explanations: Readonly<Record<WarningCode, readonly [Severity, string, string]>> = {
  'fn-synthesized': [
    'changed',
    'vCard4 needs a formatted name, and there is none',
    'add an FN; one is made of what else is there',
  ],
  'type-mismatch': [
    'changed',
    'the picture is of another kind than its TYPE says',
    'nothing: the kind is told from its bytes',
  ],
  'type-unknown': [
    'changed',
    'the TYPE of the picture is missing',
    'nothing: the kind is told from its bytes',
  ],
  'bad-base64': ['lost', 'what should be base64 is none', 'remove it, or put it in again'],
  'empty-photo': ['lost', 'there is a picture with nothing in it', 'remove it'],
  'external-photo': [
    'changed',
    'the picture is only linked, so there is no avatar',
    'put the picture itself in',
  ],
  'photo-not-fetched': [
    'changed',
    'the picture is only linked, and could not be fetched',
    'look whether the address is still right, or put the picture itself in',
  ],
  'multiple-photo': [
    'lost',
    'there are several pictures, and an account has one avatar',
    'keep the one that is wanted',
  ],
  'photo-format': ['lost', 'the picture is neither PNG, JPEG, GIF nor WebP', 'convert it to PNG'],
  'photo-cdata-url': [
    'changed',
    'the address of a picture stands where the picture should be',
    'nothing: it is taken for EXTVAL',
  ],
  'avatar-large': [
    'changed',
    'the picture is larger than many servers take',
    'make it smaller, to some 10 KB',
  ],
  'avatar-hidden': [
    'changed',
    'who may read the avatar is limited, so whether there is one is not known',
    'nothing, when the account has chosen its picture with a client: it is there already',
  ],
  'bday-text': [
    'changed',
    'the birthday is not written as a date that can mean one thing only',
    'write it as YYYY-MM-DD',
  ],
  duplicate: ['lost', 'there may be only one of it, and there are several', 'keep the one that is wanted'],
  dropped: ['lost', 'the other format has no place for it', 'write into a note what matters of it'],
  'dropped-type': [
    'lost',
    'the other format does not know this type',
    'nothing, when the type does not matter',
  ],
  'tel-cdata': ['changed', 'the number is not in NUMBER', 'nothing: it is taken for one'],
  'tel-text': [
    'changed',
    'the number is none that a telephone could dial',
    'write it with digits, beginning with + and the country',
  ],
  'email-cdata': ['changed', 'the address is not in USERID', 'nothing: it is taken for one'],
  nonstandard: [
    'changed',
    'it is not written as the specification says',
    'nothing: it is understood all the same',
  ],
  'bad-geo': ['lost', 'the position is nowhere on Earth', 'write degrees as decimal numbers'],
  'unknown-element': ['lost', 'the specification does not know it', 'write into a note what matters of it'],
  'foreign-namespace': ['lost', 'it belongs to another specification', 'keep it elsewhere'],
  'lowercase-element': [
    'changed',
    'the names of elements are in capitals',
    'nothing: it is understood all the same',
  ],
  'url-scheme': ['changed', 'the address of a page says no protocol', 'write it with https://'],
};

function findingOf({ code, element, value }: CardWarning): Finding {
  const [severity, message, advice] = explanations[code];
  return { severity, code, element, value, message, advice };
}

/** What servers make of a vcard-temp; each was seen on Prosody 0.12.3 and ejabberd 23.01. */
function serverTroubles(card: Element): Finding[] {
  return childElements(card).flatMap((element) => {
    switch (element.getName()) {
      case 'PHOTO':
        return photoTroubles(element);
      case 'TEL':
        return element.getChildText('NUMBER') === null
          ? [
              refused(
                'prosody-invalid-item',
                'TEL',
                'Prosody refuses a card with a TEL without NUMBER, after it has removed the avatar',
                'remove it, or add the NUMBER',
              ),
            ]
          : [];
      case 'JABBERID':
        return childElements(element).length > 0
          ? [
              refused(
                'prosody-no-reply',
                'JABBERID',
                'Prosody never answers when a JABBERID holds an element',
                'write the address as text',
              ),
            ]
          : [];
      default:
        return [];
    }
  });
}

function photoTroubles(photo: Element): Finding[] {
  const binval = photo.getChild('BINVAL')?.getText();
  if (binval === undefined) return [];
  const data = decodeBase64(binval);
  const found: Finding[] = [];
  if (!data)
    found.push(
      refused(
        'prosody-lock-out',
        'PHOTO/BINVAL',
        'when Prosody upgrades a stored card with this picture, the account can no longer log in',
        'repair it in the store, or set upgrade_legacy_vcards = false before the account logs in',
      ),
    );
  if (photo.getChild('TYPE') === undefined && data)
    found.push(
      refused(
        'ejabberd-poisons-avatar',
        'PHOTO/TYPE',
        'ejabberd makes an avatar without a type of it, and never again answers who asks for that',
        'add a TYPE such as image/png',
      ),
    );
  if (binval.length > EJABBERD_LIMIT)
    found.push(
      refused(
        'ejabberd-too-large',
        'PHOTO/BINVAL',
        `ejabberd takes no more than ${EJABBERD_LIMIT} characters in one item, unless max_payload_size says so`,
        'make the picture smaller',
      ),
    );
  return found;
}

const EJABBERD_LIMIT = 250_000;

function vcard4Troubles(card: Element): Finding[] {
  const names = card.getChildren('fn');
  if (names.some((name) => valuesOf(name).length > 0)) return [];
  return [
    refused('no-fn', 'fn', 'a vCard4 without a formatted name is not valid (RFC 6350 §6.2.1)', 'add an fn'),
  ];
}

function refused(code: FindingCode, element: string, message: string, advice: string): Finding {
  return { severity: 'refused', code, element, value: '', message, advice };
}
