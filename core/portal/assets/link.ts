// The secret of a link stands behind the '#', which a browser never sends. It is put into the form here and taken out of the
// address bar; the visitor still presses the button, so that a mail scanner that runs scripts does not go on by itself.
const form = document.querySelector<HTMLFormElement>("[data-link-form]");
const field = document.querySelector<HTMLElement>("[data-link-field]");
const ready = document.querySelector<HTMLElement>("[data-link-ready]");
const input = document.querySelector<HTMLInputElement>("#sleutel");
function take(): void {
  const secret = location.hash.slice(1);
  if (!form || !field || !ready || !input || !/^[A-Za-z0-9_-]{43}$/.test(secret)) return;
  input.value = secret;
  input.type = "hidden";
  field.hidden = true;
  ready.hidden = false;
  history.replaceState(null, "", location.pathname);
}
take();
// The same link opened again in a tab that shows this page already is no new page.
addEventListener("hashchange", take);
