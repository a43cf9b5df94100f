/* Search in pages that are opened from a disk: browsers start no worker there, so that a hidden frame
   stands in for one. Its name keeps the offline plugin from fetching such a script from another host. */
if (location.protocol === "file:") {
  const head = (url) => `<script>
    self.postMessage = (data) => self.answer(data);
    self.importScripts = (...urls) => urls.reduce((before, url) => before.then(() =>
      new Promise((loaded, failed) => {
        const script = document.createElement("script");
        Object.assign(script, { src: url, onload: loaded, onerror: failed });
        document.body.append(script);
      })), Promise.resolve());
  <\/script><body><script src="${url}"><\/script>`;

  window.Worker = class extends EventTarget {
    #frame = document.createElement("iframe");
    #ready;
    onmessage = null;

    constructor(url) {
      super();
      this.#frame.hidden = true;
      document.body.append(this.#frame);
      this.#ready = new Promise((ready) => (this.#frame.onload = ready));
      const inside = this.#frame.contentWindow;
      inside.answer = (data) => {
        const message = new MessageEvent("message", { data });
        this.dispatchEvent(message);
        this.onmessage?.(message);
      };
      inside.document.open();
      inside.document.write(head(url));
      inside.document.close();
    }

    postMessage(data) {
      this.#ready.then(() => {
        const inside = this.#frame.contentWindow;
        inside.dispatchEvent(new inside.MessageEvent("message", { data }));
      });
    }

    terminate() {
      this.#frame.remove();
    }
  };
}
