/**
 * What a proxy has to change in a server's features (RFC 6120 §4.3.2): each side of it has TLS of its own.
 *
 * Works on the text, so that everything else stays as it is, character for character.
 */

export interface FeatureChanges {
  /** TLS is the proxy's own business: the server's offer goes, or one to the client is added. */
  startTls: 'strip' | 'add';
  /** Takes -PLUS mechanisms and the types of channel binding (XEP-0440) out. */
  stripsChannelBinding: boolean;
  /** Only these mechanisms are left; all when left out. */
  mechanisms?: ReadonlySet<string> | undefined;
}

export interface RewrittenFeatures {
  text: string;
  /** The mechanisms with channel binding that the server offers. */
  plusMechanisms: string[];
}

export const NS_STARTTLS = 'urn:ietf:params:xml:ns:xmpp-tls';

const startTls = elementPattern('starttls');
const bindingTypes = elementPattern('sasl-channel-binding');
const mechanism = /<((?:[\w.-]+:)?mechanism)(?:\s[^<>]*)?>\s*([^<>]*?)\s*<\/\1\s*>/g;

/** @param text of a `<stream:features/>` */
export function rewriteFeatures(text: string, changes: FeatureChanges): RewrittenFeatures {
  const plusMechanisms: string[] = [];
  const isLeft = (name: string): boolean =>
    !(changes.stripsChannelBinding && name.endsWith('-PLUS')) && changes.mechanisms?.has(name) !== false;
  let changed = text.replace(startTls, '').replace(mechanism, (whole, _tag, name: string) => {
    if (name.endsWith('-PLUS')) plusMechanisms.push(name);
    return isLeft(name) ? whole : '';
  });
  if (changes.stripsChannelBinding) changed = changed.replace(bindingTypes, '');
  if (changes.startTls === 'add') changed = addStartTls(changed);
  return { text: changed, plusMechanisms };
}

function addStartTls(text: string): string {
  const offer = `<starttls xmlns='${NS_STARTTLS}'/>`;
  const [whole = '', name = ''] = /<([^\s<>/]+)[^<>]*?\/>\s*$/.exec(text) ?? [];
  // Features without a feature: <stream:features/>
  if (whole === text && name !== '') return `${text.replace(/\/>\s*$/, '>')}${offer}</${name}>`;
  return text.replace(/^(\s*<[^<>]*>)/, `$1${offer}`);
}

function elementPattern(name: string): RegExp {
  return new RegExp(`<(${name})(?:\\s[^<>]*?)?(?:/>|>[\\s\\S]*?</\\1\\s*>)`, 'g');
}
