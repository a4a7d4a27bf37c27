/** The authenticating proxy could not be asked, or answered nonsense. The message is for administrators and names no password and no token. */
export class AuthProxyFault extends Error {
  override readonly name = 'AuthProxyFault';
}
