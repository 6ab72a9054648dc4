import { excerpt } from '../../text/index.ts';

// First: characters that mean something to Markdown or to HTML. As entities they are plain text in a paragraph, in a table cell
// and inside an HTML tag alike, which backslashes are not. Then: what GitHub turns into links, mentions and emoji after Markdown
// is done, where entities no longer protect (`@team`, `#123`, `GH-123`, `https://`, `www.`, `mailto:`, `:white_check_mark:`).
const dangerous = /(?<special>[&<>`*_[\]\\|~$])|[@#](?=\S)|:(?=[^\s\d]|\d+:)|GH(?=-\d)|www(?=\.)/gi;

/**
 * Untrusted text for one line of GitHub Markdown: never a mention, a link, an image, an emoji, HTML, a comment marker, or a
 * second table cell. Cut to `limit` characters first; the default is the widest cell a report shows.
 */
export function escapeMarkdown(text: string, limit = 80): string {
  // A zero-width space parts what would become a link, and is not seen.
  return excerpt(text, limit).replace(dangerous, (found, special: string | undefined) =>
    special === undefined ? `${found}&#8203;` : `&#${special.codePointAt(0)};`,
  );
}
