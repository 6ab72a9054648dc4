import type { Report } from './report.ts';

/**
 * The report as one self-contained HTML page: no script, nothing loaded from anywhere, light and dark, printable. The plotting
 * library is imported only when this is called: nobody else waits for it.
 */
export async function renderHtml(report: Report): Promise<string> {
  const { renderHtml: render } = await import('./html/render-html.ts');
  return render(report);
}
