/** RFC 7234, 5.5.7: "miscellaneous persistent warning", the only code that the OCI specification allows. */
const CODE = 299;

/** The value of a Warning header that a client may show to its user (OCI Distribution 1.1, "Warnings"). */
export function warning(text: string): string {
  return `${CODE} - "${text.replace(/[\\"]/g, '\\$&')}"`;
}
