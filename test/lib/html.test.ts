// Markup from templates: no value can become a tag or leave an attribute.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { html } from "../../src/lib/html.ts";

describe("html", () => {
  it("escapes what could leave a text or an attribute", () => {
    expect(html`<p title="${"\"'`<>&"}">${null}${5}${[html`<b>`, html`</b>`]}</p>`.toString()).toBe('<p title="&quot;&#39;&#96;&lt;&gt;&amp;">5<b></b></p>');
  });

  it("escapes every text, whatever it is", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(html`${text}`.toString()).not.toMatch(/[<>"'`]/);
      }),
    );
  });

  it("shows the text as it was", () => {
    expect(html`${`<a href="x">'&'</a>`}`.toString()).toBe("&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  });
});
