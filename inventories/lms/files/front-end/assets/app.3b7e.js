// A module: browsers run it only with a JavaScript content type.
const api = "https://api.lms.example.org";
document.querySelector("#status").textContent = `Courses come from ${api}.`;
