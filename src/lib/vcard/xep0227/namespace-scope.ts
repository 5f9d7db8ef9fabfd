/** Which namespaces are declared where: Namespaces in XML 1.0. */

/** Namespaces by prefix, the default one under ''. */
export type Scope = Readonly<Record<string, string>>;

const NS_XML = 'http://www.w3.org/XML/1998/namespace';
const NS_XMLNS = 'http://www.w3.org/2000/xmlns/';

interface Declaration {
  prefix: string;
  uri: string;
  /** Of the element that declares it. */
  depth: number;
}

export class NamespaceScope {
  readonly #declarations: Declaration[] = [];

  /** False: it may not be declared so (§3). */
  declare(prefix: string, uri: string, depth: number): boolean {
    const isReserved = prefix === 'xmlns' || uri === NS_XMLNS || (prefix === 'xml') !== (uri === NS_XML);
    if (isReserved || (prefix !== '' && uri === '')) return false;
    this.#declarations.push({ prefix, uri, depth });
    return true;
  }

  /** An element ends. */
  leave(depth: number): void {
    while ((this.#declarations.at(-1)?.depth ?? -1) >= depth) this.#declarations.pop();
  }

  /** Undefined: nothing declares it. */
  find(prefix: string): { uri: string; depth: number } | undefined {
    if (prefix === 'xml') return { uri: NS_XML, depth: Infinity };
    for (let index = this.#declarations.length - 1; index >= 0; index--) {
      const declaration = this.#declarations[index];
      if (declaration?.prefix === prefix) return declaration;
    }
    return prefix === '' ? { uri: '', depth: 0 } : undefined;
  }

  /** What the elements down to a depth declare. */
  within(depth: number): Scope {
    const scope: Record<string, string> = {};
    for (const declaration of this.#declarations) {
      if (declaration.depth <= depth) scope[declaration.prefix] = declaration.uri;
    }
    return scope;
  }
}
