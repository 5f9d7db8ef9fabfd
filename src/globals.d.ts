/** Filled in by the build from package.json. */
declare const XMPPCTL_VERSION: string;
