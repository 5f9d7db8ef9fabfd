/** An address that is not one. */
import { UsageError } from '../errors.js';
import { showText } from './code-point.js';
import type { Violation } from './violation.js';

export type AddressPart = 'local' | 'domain' | 'resource';

/** One thing that is wrong with an address. */
export interface AddressViolation extends Violation {
  part: AddressPart;
}

const partNames: Readonly<Record<AddressPart, string>> = {
  local: 'the localpart (before the @)',
  domain: 'the domain',
  resource: 'the resource (after the /)',
};

/** The violation as a sentence without a full stop: `the domain may not contain a space (U+0020 SPACE), character 4`. */
export function describeViolation(violation: AddressViolation): string {
  const where = violation.index === undefined ? '' : `, character ${violation.index + 1}`;
  return `${partNames[violation.part]} ${violation.message}${where}`;
}

/** Thrown for text that is not an address by RFC 7622. `details` say which rule, which code point and where (counted from 0). */
export class JidError extends UsageError {
  override readonly name = 'JidError';

  constructor(
    readonly address: string,
    readonly violations: readonly [AddressViolation, ...AddressViolation[]],
    suggestion?: string,
  ) {
    const [first] = violations;
    super(`“${showText(address, 120)}” is not an XMPP address: ${describeViolation(first)}`, {
      ...(suggestion !== undefined && { hint: `perhaps ${suggestion} is meant` }),
      details: {
        address,
        ...(suggestion !== undefined && { suggestion }),
        part: first.part,
        rule: first.rule,
        ...(first.codePoint !== undefined && { codePoint: first.codePoint }),
        ...(first.index !== undefined && { index: first.index }),
      },
    });
  }
}
