/** `--attach`: files that a post leads to (RFC 4287 §4.2.7.2, `enclosure`). */
import type { Context } from '../../lib/context.js';
import { pathSource } from '../../lib/file-transfer/sources/path-source.js';
import { uploadFile } from '../../lib/http-upload/upload-file.js';
import type { Session } from '../../lib/session/session.js';
import type { PostLink } from '../../lib/social/post.js';

/** @throws RemoteError there is no upload service, or it refuses @throws FileError */
export async function uploadAttachments(
  session: Session,
  files: readonly string[],
  context: Context,
): Promise<PostLink[]> {
  const { tls } = await context.connectOptions();
  const links: PostLink[] = [];
  for (const file of files) {
    const source = await pathSource(file);
    using _shown = context.output.activity(`uploading ${file}`);
    const { url, sizeBytes, facts } = await uploadFile(session, source, {
      trust: tls ?? {},
      timeoutMs: session.timeoutMs,
      signal: context.signal,
    });
    links.push({
      rel: 'enclosure',
      href: url.href,
      ...(facts.name !== undefined && { title: facts.name }),
      lengthBytes: sizeBytes,
      ...(facts.mediaType !== undefined && { type: facts.mediaType }),
    });
  }
  return links;
}
