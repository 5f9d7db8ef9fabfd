/**
 * Messages of TLS by hand: what is offered is ours to choose, which no library allows for what it does not know itself.
 *
 * RFC 8446 (TLS 1.3) · RFC 5246 (TLS 1.2) · RFC 6101 (SSL 3.0) · RFC 7507 (fallback SCSV) · RFC 5746 (renegotiation) ·
 * RFC 7627 (extended master secret) · RFC 6520 (heartbeat).
 */
import { randomBytes } from 'node:crypto';

export const versions = ['SSLv2', 'SSLv3', 'TLSv1.0', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
export type ProtocolVersion = (typeof versions)[number];

export const versionNumbers: Readonly<Record<Exclude<ProtocolVersion, 'SSLv2'>, number>> = {
  SSLv3: 0x0300,
  'TLSv1.0': 0x0301,
  'TLSv1.1': 0x0302,
  'TLSv1.2': 0x0303,
  'TLSv1.3': 0x0304,
};

export const groupNames: Readonly<Record<number, string>> = {
  0x11ec: 'X25519MLKEM768',
  0x11eb: 'SecP256r1MLKEM768',
  0x001d: 'X25519',
  0x0017: 'P-256',
  0x0018: 'P-384',
  0x0019: 'P-521',
  0x001e: 'X448',
  0x0016: 'secp256k1',
  0x0015: 'P-224',
  0x0013: 'P-192',
  0x001a: 'brainpoolP256r1',
  0x001b: 'brainpoolP384r1',
  0x001c: 'brainpoolP512r1',
  0x0100: 'ffdhe2048',
  0x0101: 'ffdhe3072',
  0x0102: 'ffdhe4096',
  0x0103: 'ffdhe6144',
  0x0104: 'ffdhe8192',
};

/** In TLS 1.3 these can be negotiated; before, those that are curves. */
export const groups13 = [
  0x11ec, 0x11eb, 0x001d, 0x0017, 0x0018, 0x0019, 0x001e, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104,
];
export const curves12 = [
  0x001d, 0x0017, 0x0018, 0x0019, 0x001e, 0x0016, 0x0015, 0x0013, 0x001a, 0x001b, 0x001c,
];

export const FALLBACK_SCSV = 0x5600;
const RENEGOTIATION_SCSV = 0x00ff;

export const Extension = {
  serverName: 0,
  supportedGroups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  heartbeat: 15,
  alpn: 16,
  encryptThenMac: 22,
  extendedMasterSecret: 23,
  sessionTicket: 35,
  supportedVersions: 43,
  keyShare: 51,
  renegotiationInfo: 0xff01,
} as const;

const signatureAlgorithms = [
  0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501,
  0x0601, 0x0203, 0x0201, 0x0202, 0x0402, 0x0101,
];

export interface HelloOptions {
  version: Exclude<ProtocolVersion, 'SSLv2'>;
  suites: readonly number[];
  groups: readonly number[];
  /** In A-labels. */
  serverName: string | undefined;
  alpn: readonly string[];
}

/** A ClientHello in its record. */
export function encodeClientHello({ version, suites, groups, serverName, alpn }: HelloOptions): Buffer {
  const isTls13 = version === 'TLSv1.3';
  const number = versionNumbers[version];
  const legacy = isTls13 ? 0x0303 : number;
  const offered = version === 'SSLv3' ? [...suites, RENEGOTIATION_SCSV] : suites;
  // Compression is offered to see whether it is taken; TLS 1.3 forbids to offer it.
  const compression = isTls13 ? [0] : [1, 0];
  const extensions =
    version === 'SSLv3'
      ? Buffer.alloc(0)
      : vector16(Buffer.concat(encodeExtensions(isTls13, version === 'TLSv1.2', groups, serverName, alpn)));
  const body = Buffer.concat([
    u16(legacy),
    randomBytes(32),
    vector8(isTls13 ? randomBytes(32) : Buffer.alloc(0)),
    vector16(Buffer.concat(offered.map(u16))),
    vector8(Buffer.from(compression)),
    extensions,
  ]);
  const handshake = Buffer.concat([Buffer.from([1]), u24(body.length), body]);
  return Buffer.concat([Buffer.from([22]), u16(version === 'SSLv3' ? 0x0300 : 0x0301), vector16(handshake)]);
}

function encodeExtensions(
  isTls13: boolean,
  isTls12: boolean,
  groups: readonly number[],
  serverName: string | undefined,
  alpn: readonly string[],
): Buffer[] {
  const none = Buffer.alloc(0);
  return [
    ...(serverName === undefined
      ? []
      : [
          extension(
            Extension.serverName,
            vector16(Buffer.concat([Buffer.from([0]), vector16(Buffer.from(serverName, 'latin1'))])),
          ),
        ]),
    extension(Extension.supportedGroups, vector16(Buffer.concat(groups.map(u16)))),
    extension(Extension.pointFormats, Buffer.from([1, 0])),
    ...(isTls13 || isTls12
      ? [extension(Extension.signatureAlgorithms, vector16(Buffer.concat(signatureAlgorithms.map(u16))))]
      : []),
    ...(alpn.length === 0
      ? []
      : [extension(Extension.alpn, vector16(Buffer.concat(alpn.map((name) => vector8(Buffer.from(name))))))]),
    ...(isTls13
      ? [
          extension(Extension.supportedVersions, vector8(u16(0x0304))),
          // No share: the server names the group it wants, and we are done (RFC 8446 §4.1.4).
          extension(Extension.keyShare, vector16(none)),
        ]
      : [
          extension(Extension.heartbeat, Buffer.from([1])),
          extension(Extension.encryptThenMac, none),
          extension(Extension.extendedMasterSecret, none),
          extension(Extension.sessionTicket, none),
          extension(Extension.renegotiationInfo, Buffer.from([0])),
        ]),
  ];
}

/** The hello of SSL 2.0, with all of its seven ciphers. */
export function encodeSsl2Hello(): Buffer {
  const ciphers = Buffer.from('0700c0050080030080010080080080060040040080020080', 'hex');
  const challenge = randomBytes(16);
  const body = Buffer.concat([
    Buffer.from([1, 0x00, 0x02]),
    u16(ciphers.length),
    u16(0),
    u16(challenge.length),
    ciphers,
    challenge,
  ]);
  return Buffer.concat([u16(0x8000 | body.length), body]);
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const u24 = (value: number): Buffer => Buffer.from([(value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff]);
const vector8 = (content: Buffer): Buffer => Buffer.concat([Buffer.from([content.length]), content]);
const vector16 = (content: Buffer): Buffer => Buffer.concat([u16(content.length), content]);
const extension = (type: number, content: Buffer): Buffer => Buffer.concat([u16(type), vector16(content)]);
