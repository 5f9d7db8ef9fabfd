/**
 * XEP-0484: Fast Authentication Streamlining Tokens, version 0.2.0.
 *
 * Not here: TLS 1.3 early data (Node has none).
 */
import type { Element } from '../../xml/element.js';
import { xml } from '../../xml/element.js';
import type { FastToken, FastTokenStore } from '../options.js';
import type { ChannelBindingLookup } from './channel-binding.js';
import {
  HashedToken,
  hashedTokenHashes,
  hashedTokenSuffixes,
  type HashedTokenOptions,
} from './hashed-token.js';
import { NS_FAST } from './namespaces.js';
import { mechanismNames, type Offer } from './offer.js';

type TokenKind = Pick<HashedTokenOptions, 'hash' | 'binding'> & { name: string };

export interface TokenUse {
  mechanism: HashedToken;
  userAgentId: string;
  extra: Element;
}

/** The token mechanisms that the server and this connection have, strongest first: what binds the channel is preferred (§7). */
function commonKinds(offer: Offer, channelBinding: ChannelBindingLookup): TokenKind[] {
  const feature = offer.inline?.getChild('fast', NS_FAST);
  const offered = feature ? mechanismNames(feature) : [];
  return hashedTokenSuffixes.flatMap(([suffix, type]) => {
    const data = type && channelBinding(type);
    if (type && !data) return [];
    const binding = type && data ? { type, data } : undefined;
    return hashedTokenHashes
      .map((hash) => ({ hash, binding, name: `HT-${hash}-${suffix}` }))
      .filter(({ name }) => offered.includes(name));
  });
}

/** The tokens of one account, for one login. */
export class Fast {
  readonly #store: FastTokenStore;
  readonly #kinds: readonly TokenKind[];
  /** What the next token in an answer will be good for. */
  #expected: Pick<FastToken, 'mechanism' | 'userAgentId'> | undefined;

  constructor(store: FastTokenStore, offer: Offer, channelBinding: ChannelBindingLookup) {
    this.#store = store;
    this.#kinds = commonKinds(offer, channelBinding);
  }

  /** A mechanism with the stored token, and what has to go along with it; undefined where there is none to use. */
  async useToken(username: string, nowMs: number): Promise<TokenUse | undefined> {
    const token = await this.#store.load();
    if (token === undefined) return undefined;
    // A token is bound to its mechanism (§4.4).
    const kind = this.#kinds.find(({ name }) => name === token.mechanism);
    if (kind === undefined) return undefined;
    if (token.expiry !== undefined && !(Date.parse(token.expiry) > nowMs)) {
      await this.#store.remove();
      return undefined;
    }
    const count = token.count + 1;
    // Saved before it is used: a counter that a server has seen is never used again.
    await this.#store.save({ ...token, count });
    this.#expected = token;
    return {
      mechanism: new HashedToken({ ...kind, username, token: token.token }),
      userAgentId: token.userAgentId,
      extra: xml('fast', { xmlns: NS_FAST, count }),
    };
  }

  /** The stored token is of no use any more. */
  async discard(): Promise<void> {
    await this.#store.remove();
  }

  /**
   * What asks for a token along with a login by password; undefined where the server has none for us.
   *
   * @param userAgentId the identifier that goes along, to which the token will be bound
   */
  request(userAgentId: string): Element | undefined {
    const name = this.#kinds[0]?.name;
    this.#expected = name === undefined ? undefined : { mechanism: name, userAgentId };
    return name === undefined ? undefined : xml('request-token', { xmlns: NS_FAST, mechanism: name });
  }

  /** Keeps the token that came with a success: the one asked for, or the successor of the one used (§4.5). */
  async keep(success: Element): Promise<void> {
    const element = success.getChild('token', NS_FAST);
    const token: unknown = element?.attrs['token'];
    const expiry: unknown = element?.attrs['expiry'];
    if (typeof token !== 'string' || token === '' || this.#expected === undefined) return;
    const { mechanism, userAgentId } = this.#expected;
    const fresh: FastToken = {
      mechanism,
      userAgentId,
      token,
      expiry: typeof expiry === 'string' ? expiry : undefined,
      count: 0,
    };
    await this.#store.save(fresh);
  }
}
