// Start: a page from its data; what goes wrong is said on it.

export async function start(make) {
  const trouble = document.getElementById("trouble");
  try {
    if (!("DecompressionStream" in window)) throw new Error("this browser is too old for it (it knows no DecompressionStream)");
    await make(JSON.parse(document.getElementById("data").textContent));
  } catch (error) {
    trouble.textContent = `The page could not be drawn: ${error.message}`;
    trouble.hidden = false;
    console.error(error);
  }
}
