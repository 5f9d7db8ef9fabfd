/** How much a socket holds back before it asks its writer to wait: what a fast link takes in one go. */
export const STREAM_BUFFER_BYTES = 1024 * 1024;
