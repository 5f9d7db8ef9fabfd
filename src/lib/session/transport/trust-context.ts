/** Whom TLS trusts, and who we say that we are: made once for many connections. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { UsageError } from '../../errors.js';

/** PEM. */
export interface ClientCertificate {
  cert: string;
  key: string;
  passphrase?: string;
}

/**
 * @param ca PEM: authorities beside the usual ones
 * @throws UsageError one of them cannot be used
 */
export function createTrustContext(ca?: string, certificate?: ClientCertificate): SecureContext {
  const client = certificate && {
    cert: certificate.cert,
    key: certificate.key,
    ...(certificate.passphrase !== undefined && { passphrase: certificate.passphrase }),
  };
  let context: SecureContext;
  try {
    context = createSecureContext({ minVersion: 'TLSv1.2', ...client });
  } catch (cause) {
    throw new UsageError(`the client certificate or its key cannot be used: ${messageOf(cause)}`, {
      hint: 'give PEM files that belong together with --client-cert and --client-key',
      cause,
    });
  }
  return ca === undefined ? context : addAuthorities(context, ca, client);
}

/**
 * Trusts more authorities beside the usual ones (Mozilla's, and those of NODE_EXTRA_CA_CERTS).
 *
 * The documented `ca` option replaces the usual ones, and listing `rootCertificates` again reads them all a second
 * time (50 ms of processor); what node:tls itself calls for `ca` adds to the context it is called on.
 */
function addAuthorities(
  context: SecureContext,
  pem: string,
  client: { cert: string; key: string } | undefined,
): SecureContext {
  const unusable = (cause?: unknown): UsageError =>
    new UsageError(
      `there is no usable certificate in the CA file${cause === undefined ? '' : `: ${messageOf(cause)}`}`,
      {
        hint: 'give a PEM file with "-----BEGIN CERTIFICATE-----" to --ca',
        cause,
      },
    );
  const certificates = pem.match(
    /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g,
  );
  if (!certificates) throw unusable();
  try {
    for (const certificate of certificates) new X509Certificate(certificate);
    const native = context.context as { addCACert?: (pem: string) => void };
    if (typeof native.addCACert !== 'function') {
      return createSecureContext({
        minVersion: 'TLSv1.2',
        ca: [...rootCertificates, ...certificates],
        ...client,
      });
    }
    for (const certificate of certificates) native.addCACert(`${certificate}\n`);
    return context;
  } catch (cause) {
    throw unusable(cause);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
