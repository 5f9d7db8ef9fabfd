/** Object identifiers of certificates, by the names people know. */

export interface SignatureAlgorithm {
  name: string;
  /** The hash that is signed; undefined where the algorithm has one of its own. */
  hash: string | undefined;
}

export const signatureAlgorithms: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.113549.1.1.2': { name: 'RSA with MD2', hash: 'MD2' },
  '1.2.840.113549.1.1.4': { name: 'RSA with MD5', hash: 'MD5' },
  '1.2.840.113549.1.1.5': { name: 'RSA with SHA-1', hash: 'SHA-1' },
  '1.3.14.3.2.29': { name: 'RSA with SHA-1', hash: 'SHA-1' },
  '1.2.840.113549.1.1.10': { name: 'RSA-PSS', hash: undefined },
  '1.2.840.113549.1.1.11': { name: 'RSA with SHA-256', hash: 'SHA-256' },
  '1.2.840.113549.1.1.12': { name: 'RSA with SHA-384', hash: 'SHA-384' },
  '1.2.840.113549.1.1.13': { name: 'RSA with SHA-512', hash: 'SHA-512' },
  '1.2.840.113549.1.1.14': { name: 'RSA with SHA-224', hash: 'SHA-224' },
  '1.2.840.10040.4.3': { name: 'DSA with SHA-1', hash: 'SHA-1' },
  '2.16.840.1.101.3.4.3.2': { name: 'DSA with SHA-256', hash: 'SHA-256' },
  '1.2.840.10045.4.1': { name: 'ECDSA with SHA-1', hash: 'SHA-1' },
  '1.2.840.10045.4.3.1': { name: 'ECDSA with SHA-224', hash: 'SHA-224' },
  '1.2.840.10045.4.3.2': { name: 'ECDSA with SHA-256', hash: 'SHA-256' },
  '1.2.840.10045.4.3.3': { name: 'ECDSA with SHA-384', hash: 'SHA-384' },
  '1.2.840.10045.4.3.4': { name: 'ECDSA with SHA-512', hash: 'SHA-512' },
  '1.3.101.112': { name: 'Ed25519', hash: undefined },
  '1.3.101.113': { name: 'Ed448', hash: undefined },
};

export const curves: Readonly<Record<string, { name: string; bits: number }>> = {
  '1.2.840.10045.3.1.1': { name: 'P-192', bits: 192 },
  '1.3.132.0.33': { name: 'P-224', bits: 224 },
  '1.2.840.10045.3.1.7': { name: 'P-256', bits: 256 },
  '1.3.132.0.34': { name: 'P-384', bits: 384 },
  '1.3.132.0.35': { name: 'P-521', bits: 521 },
  '1.3.132.0.10': { name: 'secp256k1', bits: 256 },
  '1.3.36.3.3.2.8.1.1.7': { name: 'brainpoolP256r1', bits: 256 },
  '1.3.36.3.3.2.8.1.1.11': { name: 'brainpoolP384r1', bits: 384 },
  '1.3.36.3.3.2.8.1.1.13': { name: 'brainpoolP512r1', bits: 512 },
};

export const extendedKeyUsages: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '1.3.6.1.5.5.7.3.3': 'codeSigning',
  '1.3.6.1.5.5.7.3.4': 'emailProtection',
  '1.3.6.1.5.5.7.3.8': 'timeStamping',
  '1.3.6.1.5.5.7.3.9': 'ocspSigning',
  '2.5.29.37.0': 'any',
};

export const nameAttributes: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

export const Oid = {
  rsa: '1.2.840.113549.1.1.1',
  rsaPss: '1.2.840.113549.1.1.10',
  dsa: '1.2.840.10040.4.1',
  ec: '1.2.840.10045.2.1',
  ed25519: '1.3.101.112',
  ed448: '1.3.101.113',
  commonName: '2.5.4.3',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  crlDistributionPoints: '2.5.29.31',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  tlsFeature: '1.3.6.1.5.5.7.1.24',
  signedTimestamps: '1.3.6.1.4.1.11129.2.4.2',
  ocsp: '1.3.6.1.5.5.7.48.1',
  caIssuers: '1.3.6.1.5.5.7.48.2',
  srvName: '1.3.6.1.5.5.7.8.7',
  xmppAddr: '1.3.6.1.5.5.7.8.5',
} as const;
