// The package's own types declare another module name. A document is used only as what Plot draws into, so it stays opaque.
declare module '@mixmark-io/domino' {
  const domino: { createDocument(html?: string): unknown };
  export default domino;
}
