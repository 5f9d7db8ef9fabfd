/** RFC 7622 addresses. */
export class JID {
  private constructor(
    readonly local: string | undefined,
    readonly domain: string,
    readonly resource: string | undefined,
  ) {}

  static parse(text: string): JID {
    const slash = text.indexOf('/');
    const bare = slash < 0 ? text : text.slice(0, slash);
    const at = bare.indexOf('@');
    return new JID(
      at < 0 ? undefined : bare.slice(0, at).toLowerCase(),
      bare.slice(at + 1).toLowerCase(),
      slash < 0 ? undefined : text.slice(slash + 1),
    );
  }

  get bare(): JID {
    return this.resource === undefined ? this : new JID(this.local, this.domain, undefined);
  }

  get isBare(): boolean {
    return this.resource === undefined;
  }

  withResource(resource: string): JID {
    return new JID(this.local, this.domain, resource);
  }

  equals(other: JID): boolean {
    return this.toString() === other.toString();
  }

  toString(): string {
    const bare = this.local === undefined ? this.domain : `${this.local}@${this.domain}`;
    return this.resource === undefined ? bare : `${bare}/${this.resource}`;
  }
}
