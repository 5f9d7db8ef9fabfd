/** The words of the protocols: what may stay in a trace because it tells of no one. */

/** Names of services that are in front of a domain. */
const services = new Set(
  'anon archive avatars biboumi chat component components conference files ftp groups http im irc jabber lobby mail muc muclumbus news proxy proxy65 pubsub rooms search share sip spade stun turn upload users vjud www xmpp xmpp-server xmpps'.split(
    ' ',
  ),
);

export function isServiceLabel(label: string): boolean {
  return services.has(label) || /^_(xmpps?-(client|server)|xmppconnect|tcp|udp|stuns?|turns?)$/.test(label);
}

/** Words that are so common in protocols that finding them in an id or a namespace says nothing. */
export const machineWords =
  /^(xmpp|jabber|chat|conference|muc|pubsub|upload|proxy|org|com|net|example|www|http|https|info|name|test|client|server|user|im)$/i;

/** Values of attributes and elements that only protocols use. */
const tokens = new Set(
  `accept accepted active add admin all allow always anonymous ask audio auth authorize auto available away back
  binary boolean both broadcast bot busy c2s call candidate cancel category challenge chat checksum client closed command
  complete component composing conference configured console content continue create created default delete deny
  direct dnd drop echo edit ended error execute executing failure fixed form form-type form_type from full
  gateway get gone group groupchat handheld headline hidden host http https ice idle ietf im inactive initiator
  invite item jid jid-multi jid-single leaf collection leave list-multi list-single log logger member message mobile
  moderator modify move moved muc must need never next no node none normal none-authority notify off offline ok on
  open outcast owner participant paused pc pending pep persistent phone prev preparing prflx private probe proxy pubsub
  public publish-only publisher receipt received relay remove request required responder response result
  result_item retract role roster s2s sasl sasl2 server service session set sms srflx status store submit subscribe
  subscribed subscriber success succeeded tcp tcptype tablet text text-multi text-private text-single title to
  true false transport tie-break tls-exporter tls-server-end-point tls-unique trusted type udp unauthorized
  unavailable unconfigured undefined unsubscribe unsubscribed update urn user utf-8 video visitor voice wait web whitelist
  whole write xa xmpp xmpp-client xmpp-server enabled resumed failed aborted activity bytestreams proxy65 assisted
  sha-1 sha-256 sha-512 sha3-256 sha3-512 blake2b-256 blake2b-512 sendreceive senders roomslist moderated
  roles authorized presence subscription never-send never-publish on_sub on_sub_and_presence last now
  session-initiate session-accept session-info session-terminate transport-info transport-replace transport-accept
  transport-reject content-add content-accept content-modify content-reject content-remove description-info security-info
  dns tcp tls websocket stream bind sm reconnect close A/AAAA SRV A AAAA SCRAM-UPGRADE sctp`
    .split(/\s+/)
    .filter((word) => word !== ''),
);

/** Language tags that name no one. */
const language = /^[a-z]{2}(-[A-Z]{2})?$/;
const mechanism =
  /^(SCRAM-SHA-(1|224|256|384|512|512-256)|SCRAM-SHA3-512|PLAIN|EXTERNAL|ANONYMOUS|DIGEST-MD5|CRAM-MD5|OAUTHBEARER|X-OAUTH2|GSSAPI|HT-SHA-(256|512)-(NONE|ENDP|UNIQ|EXPR))(-PLUS)?$/;
const cipher = /^(TLSv?[\d.]+|(TLS_)?([A-Z]{2,8}\d*|\d+)([_-]([A-Z]{1,8}\d*|\d+))*)$/;
const mediaType =
  /^(application\/(octet-stream|pdf|json|xml|zip|gzip)|(image\/(jpeg|png|gif|webp|avif|svg\+xml))|(audio|video)\/(ogg|mpeg|mp4|webm|opus)|text\/(plain|html))$/;

const protocolNames =
  /^(urn:(xmpp|ietf):|jabber:|https?:\/\/(etherx\.)?jabber\.org\/|http:\/\/www\.w3\.org\/|vcard-temp|storage:|eu\.siacs\.conversations\.|google:|http:\/\/prosody\.im\/|http:\/\/process-one\.net\/|msgoffline$|iq$|gc-1\.0$|(muc|pubsub|config|snapshot|urn:xmpp:[\w:.-]+)#|FORM_TYPE$|(accountjid|accountjids|password|email|username|nick|max-file-size|submission-type)$)/;

/** A namespace, a feature, a node or a form's field that a protocol defines. */
export function isProtocolName(text: string): boolean {
  return text.length <= 150 && protocolNames.test(text) && /^[\w:./#+-]*$/.test(text);
}

export function isToken(text: string): boolean {
  return tokens.has(text);
}

export function isLanguage(text: string): boolean {
  return language.test(text);
}

export function isMechanism(text: string): boolean {
  return mechanism.test(text);
}

/** A version of TLS or the name of a cipher suite. */
export function isCipher(text: string): boolean {
  return text.length <= 64 && cipher.test(text);
}

export function isMediaType(text: string): boolean {
  return mediaType.test(text);
}

export function isNumber(text: string): boolean {
  return /^-?\d{1,16}(\.\d{1,9})?$/.test(text);
}

/** A date, a time or an offset from UTC (XEP-0082). */
export function isDate(text: string): boolean {
  return (
    text === 'Z' ||
    /^\d{4}-?\d{2}-?\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?)?$/.test(text) ||
    /^[+-]\d{2}:\d{2}$/.test(text)
  );
}

/** Why a connection ended, where it is the system that says so. */
export function isSystemReason(text: string): boolean {
  return /^(connection (reset|refused|closed|timed out)( by peer)?|reset|timed out|broken pipe|ECONNRESET|ECONNREFUSED|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|no space left on the disk)$/.test(
    text,
  );
}
