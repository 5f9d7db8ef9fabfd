/**
 * Primes of Diffie-Hellman that everybody shares, by the SHA-256 of their bytes. Those of 1024 bits and less were
 * worth an attacker's years of computing, once for all who use them (Logjam, 2015).
 */
import { createHash, getDiffieHellman } from 'node:crypto';

/** RFC 2409 §6 and RFC 3526: node:crypto has them. */
const modpGroups: Readonly<Record<string, string>> = {
  modp1: 'RFC 2409, 768 bits',
  modp2: 'RFC 2409, 1024 bits',
  modp5: 'RFC 3526, 1536 bits',
  modp14: 'RFC 3526, 2048 bits',
  modp15: 'RFC 3526, 3072 bits',
  modp16: 'RFC 3526, 4096 bits',
  modp17: 'RFC 3526, 6144 bits',
  modp18: 'RFC 3526, 8192 bits',
};

let known: Map<string, string> | undefined;

/** Where a prime comes from; undefined for one of the server's own. */
export function nameOfPrime(prime: Buffer): string | undefined {
  known ??= new Map(
    Object.entries(modpGroups).flatMap(([group, name]) => {
      try {
        return [[digest(getDiffieHellman(group).getPrime()), name] as const];
      } catch {
        // OpenSSL can be built without the small ones.
        return [];
      }
    }),
  );
  return known.get(digest(prime)) ?? (isFfdhe(prime) ? `RFC 7919, ${prime.length * 8} bits` : undefined);
}

/** RFC 7919 Appendix A: these begin with digits of e, where those of RFC 3526 have digits of pi. */
function isFfdhe(prime: Buffer): boolean {
  return prime.subarray(0, 16).equals(Buffer.from('ffffffffffffffffadf85458a2bb4a9a', 'hex'));
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
