/** Whether SageMaker takes it as a name of at most `most` characters: letters and digits, with hyphens between them. */
export function isSageMakerName(text: string, most = 63): boolean {
  return text.length <= most && /^[a-zA-Z0-9](?:-*[a-zA-Z0-9])*$/.test(text);
}
